import { defined } from '@residency/defined';
import { randomUUID } from 'node:crypto';
import { decodeKafka } from '@residency/cloudevents';
import {
  REDRIVE_BEGUN,
  REDRIVE_HEADER,
  TOPICS,
  formatPosition,
  parsePosition,
  submissionId,
} from '@residency/contracts';
import type {
  LogEntry,
  LogRecord,
  QuarantinePointer,
  QuarantineReason,
} from '@residency/contracts';
import { batchesOf } from '../publishing/batches-of.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { record } from '../system/control.ts';
import { refuseDraining } from '../system/control-state.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { MOST_ROUNDS } from './most-rounds.ts';
import { quarantineBook, standing } from './quarantine-book.ts';
import type { QuarantinedEntry } from './quarantine-book.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { counted } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';

interface Options extends Common {
  readonly reason?: QuarantineReason;
  readonly max?: number;
  readonly again?: true;
  readonly dryRun?: true;
}

interface Redrive {
  readonly of: string;
  readonly entry: LogEntry;
}

export async function redrive(
  session: Session,
  options: Options,
  positions: readonly string[],
): Promise<ExitCode> {
  const { json, reason, max = Infinity, again, dryRun = false, ...where } = options;
  if ((reason === undefined) === (positions.length === 0))
    throw usage('Expected either positions or --reason, found both or neither.');
  if (again === true && reason === undefined)
    throw usage('Expected --again with --reason only, found it with positions.');
  for (const position of positions) parsePosition(position);
  return await withSystem(session, where, async (system) => {
    const { output } = session;
    const book = await quarantineBook(session, system);
    const { chosen, left } =
      reason === undefined
        ? { chosen: named(book, positions), left: 0 }
        : openWith(book, { reason, again: again === true });
    const taken = chosen.slice(0, max);
    const control = await system.controlView();
    if (!dryRun) refuseDraining(await control.read());
    if (taken.length > 0 && !dryRun)
      await record(session, system, {
        type: REDRIVE_BEGUN,
        data: {
          act: randomUUID(),
          records: taken.length,
          ...defined({ reason }),
        },
      });
    const missing = { expired: 0, replaced: 0 };
    const entries = entriesOf(session, system, taken, missing);
    let done = 0;
    for await (const batch of batchesOf(
      entries,
      ({
        entry: {
          record: { value },
        },
      }) => value?.length ?? 0,
      { count: 256, bytes: 8 * 1024 * 1024 },
    )) {
      if (!dryRun) refuseDraining(await control.read());
      const appended = dryRun
        ? []
        : (await system.append(batch.map(({ entry }) => entry))).map(formatPosition);
      for (const [
        index,
        {
          of,
          entry: { submission },
        },
      ] of batch.entries()) {
        done += 1;
        const position = appended[index];
        if (json)
          await output.json({
            ...defined({ position }),
            redriveOf: of,
            ...defined({ submission }),
          });
        else
          await output.line(
            position === undefined ? `${of} would be redriven` : `${of} redriven at ${position}`,
          );
      }
    }
    output.note(
      `${dryRun ? 'Would redrive' : 'Redrove'} ${counted(done, 'record')}${missingText(missing)}.${leftText({ left, over: chosen.length - taken.length })}`,
    );
    return missing.expired + missing.replaced > 0 ? EXIT.found : EXIT.done;
  });
}

type Missing = Record<'expired' | 'replaced', number>;

function missingText({ expired, replaced }: Missing): string {
  return [
    ...(expired === 0 ? [] : [`; ${counted(expired, 'record')} EXPIRED: ask their publishers`]),
    ...(replaced === 0
      ? []
      : [
          `; in place of ${counted(replaced, 'record')} the intake log holds another (LOG_REPLACED): residency doctor`,
        ]),
  ].join('');
}

function leftText({ left, over }: { readonly left: number; readonly over: number }): string {
  return [
    ...(over === 0
      ? []
      : [` ${counted(over, 'more record')} ${over === 1 ? 'is' : 'are'} left by --max.`]),
    ...(left === 0
      ? []
      : [
          ` ${counted(left, 'record')} came back ${MOST_ROUNDS} times or more: mend the cause, or say --again.`,
        ]),
  ].join('');
}

/** Throws if any of them is no quarantined record's position. Then none is redriven. */
function named(
  book: readonly QuarantinedEntry[],
  positions: readonly string[],
): readonly QuarantinePointer[] {
  const wanted = new Set(positions);
  const found = new Map(
    book
      .filter(({ pointer }) => wanted.has(pointer.position))
      .map(({ pointer }) => [pointer.position, pointer]),
  );
  if (found.size < wanted.size)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected positions of quarantined records, found ${wanted.size - found.size} that are not; nothing was redriven. \`residency quarantine list\` names them.`,
      remedy: 'stop',
    });
  return [...wanted].flatMap((position) => found.get(position) ?? []);
}

/** `left`: those that came back too often. */
function openWith(
  book: readonly QuarantinedEntry[],
  { reason, again }: { readonly reason: QuarantineReason; readonly again: boolean },
): { readonly chosen: readonly QuarantinePointer[]; readonly left: number } {
  const open = book.filter(({ pointer, state }) => state === 'open' && pointer.reason === reason);
  const chosen = again ? open : open.filter(({ rounds }) => rounds < MOST_ROUNDS);
  return { chosen: chosen.map(({ pointer }) => pointer), left: open.length - chosen.length };
}

async function* entriesOf(
  session: Session,
  system: System,
  pointers: readonly QuarantinePointer[],
  missing: Missing,
): AsyncGenerator<Redrive> {
  for (const pointer of pointers) {
    checkInterrupted(session);
    const found = await standing(system, pointer);
    if (typeof found === 'string') {
      missing[found] += 1;
      session.output.note(
        `${pointer.position}: ${found === 'expired' ? 'EXPIRED' : 'LOG_REPLACED: another record has this position'}.`,
      );
    } else {
      yield { of: pointer.position, entry: anew(found, pointer.position) };
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
    ...defined({ submission }),
  };
}

/** The identity by which its publisher knows it. A record that is no event has none. */
function submissionOf(record: LogRecord): string | undefined {
  try {
    return submissionId(decodeKafka(record));
  } catch {
    return undefined;
  }
}
