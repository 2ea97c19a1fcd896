import { decodeKafka } from '@residency/cloudevents';
import {
  QUARANTINE_REASONS,
  REDRIVE_HEADER,
  TOPICS,
  decodeAuditEvent,
  formatPosition,
  parsePosition,
  submissionId,
} from '@residency/contracts';
import type { LogEntry, LogRecord, QuarantineReason } from '@residency/contracts';
import { Option } from 'commander';
import type { Command } from 'commander';
import { batchesOf } from '../batches-of.ts';
import { CliError, usage } from '../cli-error.ts';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { counted } from '../table.ts';
import { withSystem } from '../with-system.ts';

type Options = Common & { readonly reason?: QuarantineReason };

interface Redrive {
  readonly of: string;
  readonly entry: LogEntry;
}

export function quarantineRedriveCommand(
  quarantine: Command,
  session: Session,
  answer: Answer,
): void {
  describe(
    quarantine,
    'redrive',
    'Append quarantined records anew; their audit events name the old position. Nothing in a record changes.',
    [
      'quarantine redrive 4f2a9c1e00000000/threat.samples/0/59',
      'quarantine redrive --reason COUNTRY_UNKNOWN',
    ],
  )
    .argument('[position...]', 'from `quarantine list`')
    .addOption(
      new Option('--reason <code>', 'all with this reason that were not redriven yet').choices(
        QUARANTINE_REASONS,
      ),
    )
    .action(
      answering(answer, (options: Options, positions: readonly string[]) =>
        redrive(session, options, positions),
      ),
    );
}

async function redrive(
  session: Session,
  { json, reason, ...where }: Options,
  positions: readonly string[],
): Promise<ExitCode> {
  if ((reason === undefined) === (positions.length === 0))
    throw usage('Expected either positions or --reason, found both or neither.');
  for (const position of positions) parsePosition(position);
  return await withSystem(session, where, async (system) => {
    const chosen =
      reason === undefined ? await named(system, positions) : await waitingWith(system, reason);
    let done = 0;
    let expired = 0;
    const entries = entriesOf(session, system, chosen, () => {
      expired += 1;
    });
    for await (const batch of batchesOf(
      entries,
      ({ entry: { record } }) => record.value?.length ?? 0,
      { count: 256, bytes: 8 * 1024 * 1024 },
    )) {
      const appended = await system.append(batch.map(({ entry }) => entry));
      for (const [
        index,
        {
          of,
          entry: { submission },
        },
      ] of batch.entries()) {
        const [position] = appended.slice(index, index + 1).map(formatPosition);
        done += 1;
        if (json)
          await session.output.json({
            position,
            redriveOf: of,
            ...(submission === undefined ? {} : { submission }),
          });
        else await session.output.line(`${of} redriven at ${position}`);
      }
    }
    session.output.note(
      `Redrove ${counted(done, 'record')}${expired === 0 ? '' : `; ${counted(expired, 'record')} EXPIRED: ask their publishers`}.`,
    );
    return expired > 0 ? EXIT.found : EXIT.done;
  });
}

/** Throws where one of them is no quarantined record's: then none is redriven. */
async function named(system: System, positions: readonly string[]): Promise<readonly string[]> {
  const missing = new Set(positions);
  for await (const { position } of system.quarantine()) missing.delete(position);
  if (missing.size > 0)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected positions of quarantined records, found ${missing.size} that are not; nothing was redriven. \`residency quarantine list\` names them.`,
      remedy: 'stop',
    });
  return [...new Set(positions)];
}

async function waitingWith(system: System, reason: QuarantineReason): Promise<readonly string[]> {
  const chosen = new Set<string>();
  for await (const pointer of system.quarantine())
    if (pointer.reason === reason) chosen.add(pointer.position);
  // Also those whose redrive was not routed yet: saying it twice must not send a record twice.
  for await (const record of system.waiting()) chosen.delete(redriveOf(record) ?? '');
  for await (const bytes of system.auditRecords())
    chosen.delete(decodeAuditEvent(bytes).data.redriveOf ?? '');
  return [...chosen];
}

async function* entriesOf(
  session: Session,
  system: System,
  positions: readonly string[],
  expired: () => void,
): AsyncGenerator<Redrive> {
  for (const of of positions) {
    checkInterrupted(session);
    const record = await system.recordAt(parsePosition(of));
    if (record === undefined) {
      session.output.note(`${of}: EXPIRED.`);
      expired();
    } else {
      yield { of, entry: anew(record, of) };
    }
  }
}

/** The same key, headers and value. */
function anew(record: LogRecord, of: string): LogEntry {
  const headers = [
    ...record.headers.filter(([name]) => name !== REDRIVE_HEADER),
    [REDRIVE_HEADER, Buffer.from(of)] as const,
  ];
  const submission = submissionOf(record);
  return {
    topic: TOPICS.samples,
    record: { key: record.key, headers, value: record.value },
    ...(submission === undefined ? {} : { submission }),
  };
}

function redriveOf({ headers }: LogRecord): string | undefined {
  return headers.find(([name]) => name === REDRIVE_HEADER)?.[1].toString();
}

/** What the publisher can ask for it by; a record that is no event has none. */
function submissionOf(record: LogRecord): string | undefined {
  try {
    return submissionId(decodeKafka(record));
  } catch {
    return undefined;
  }
}
