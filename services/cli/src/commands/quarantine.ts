import { parsePosition } from '@residency/contracts';
import type { LogRecord, QuarantinePointer } from '@residency/contracts';
import { decodeKafka } from '@residency/cloudevents';
import type { AttributeValue } from '@residency/cloudevents';
import { formatInstant } from '@residency/residency';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printable } from '../output.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import type { System } from '../system.ts';
import { withSystem } from '../with-system.ts';
import { quarantineRedriveCommand } from './quarantine-redrive.ts';

export function quarantineCommand(program: Command, session: Session, answer: Answer): void {
  const quarantine = group(
    program,
    'quarantine',
    'See what could not be placed and why, and send it through again.',
    ['quarantine list', 'quarantine redrive --reason COUNTRY_UNKNOWN'],
  );
  describe(quarantine, 'list', 'Every quarantined record: where it stands, and why.', [
    'quarantine list',
    'quarantine list --json',
  ]).action(answering(answer, (options: Common) => list(session, options)));
  describe(
    quarantine,
    'show',
    'One quarantined record: the reason in words and the attributes of the contract, never its sample.',
    ['quarantine show 4f2a9c1e00000000/threat.samples/0/59'],
  )
    .argument('<position>', 'from `quarantine list`')
    .action(
      answering(answer, (options: Common, position: string) => show(session, options, position)),
    );
  quarantineRedriveCommand(quarantine, session, answer);
}

async function list(session: Session, { json, ...where }: Common): Promise<ExitCode> {
  return await withSystem(session, where, async (system) => {
    for await (const pointer of system.quarantine()) {
      checkInterrupted(session);
      const { position, reason, valueBytes, detail } = pointer;
      if (json) await session.output.json(pointer);
      else
        await session.output.line(
          `${position}  ${reason.padEnd(22)}  ${String(valueBytes).padStart(8)} B  ${detail}`,
        );
    }
    return EXIT.done;
  });
}

async function show(session: Session, { json, ...where }: Common, text: string): Promise<ExitCode> {
  const { output } = session;
  const position = parsePosition(text);
  return await withSystem(session, where, async (system) => {
    const pointer = await findPointer(system, text);
    const record = await system.recordAt(position);
    const found =
      record === undefined
        ? { record: 'EXPIRED' }
        : {
            record: 'kept',
            appendedAt: formatInstant(record.at),
            attributes: attributesOf(record),
          };
    if (json) {
      await output.json({ ...pointer, ...found });
      return EXIT.done;
    }
    const said = {
      ...pointer,
      ...found,
      attributes: undefined,
      ...('attributes' in found ? found.attributes : {}),
    };
    for (const [name, value] of Object.entries(said)) {
      if (value !== undefined) await output.line(`${name.padEnd(16)} ${printable(String(value))}`);
    }
    if (record === undefined)
      output.note('EXPIRED: the intake log no longer has the record; ask its publisher.');
    return EXIT.done;
  });
}

async function findPointer(system: System, position: string): Promise<QuarantinePointer> {
  for await (const pointer of system.quarantine())
    if (pointer.position === position) return pointer;
  throw new CliError({
    code: 'NOT_THERE',
    message:
      'Expected the position of a quarantined record, found none there; `residency quarantine list` names them.',
    remedy: 'stop',
  });
}

/** What the contract knows of; anything else a publisher added may be personal and is not shown. An unreadable record has none. */
const SHOWN = [
  'usercountry',
  'consentid',
  'verdict',
  'samplesha256',
  'dataclassification',
  'dataregulation',
  'datacategory',
  'traceparent',
];

function attributesOf(record: LogRecord): Record<string, string> {
  try {
    const { source, id, type, datacontenttype, time, extensions } = decodeKafka(record);
    const core: readonly [string, AttributeValue | undefined][] = Object.entries({
      source,
      id,
      type,
      datacontenttype,
      time,
    });
    const known = [...core, ...SHOWN.map((name) => [name, extensions[name]] as const)];
    return Object.fromEntries(
      known.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    );
  } catch {
    return {};
  }
}
