import { parsePosition } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { decodeKafka } from '@residency/cloudevents';
import type { AttributeValue } from '@residency/cloudevents';
import { formatInstant } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';
import { quarantineBook, standing } from './quarantine-book.ts';
import type { Met, QuarantinedEntry } from './quarantine-book.ts';
import { counted, grouped, table } from '../terminal/table.ts';
import type { Cell } from '../terminal/table.ts';

export async function list(
  session: Session,
  { json, open, ...where }: Common & { readonly open?: true },
): Promise<ExitCode> {
  const { output } = session;
  return await withSystem(session, where, async (system) => {
    const all = await quarantineBook(session, system);
    const shown = open === true ? all.filter(({ state }) => state === 'open') : all;
    if (json) for (const entry of shown) await output.json(jsonOf(entry));
    else if (shown.length > 0)
      await output.lines(
        table(['position', 'reason', 'bytes', 'rounds', 'state', 'detail'], shown.map(rowOf)),
      );
    const count = (state: QuarantinedEntry['state']): string =>
      grouped(all.filter((entry) => entry.state === state).length);
    if (!json)
      output.note(
        `${counted(all.length, 'record')}: ${count('open')} open, ${count('redriven')} redriven, ${count('closed')} closed.`,
      );
    return EXIT.done;
  });
}

function rowOf({
  pointer,
  state,
  rounds,
  redriven,
  closed,
  met,
}: QuarantinedEntry): readonly Cell[] {
  const { position, reason, valueBytes, detail } = pointer;
  const became =
    redriven === undefined
      ? ''
      : ` at ${redriven.position}: ${redriven.outcome === undefined ? 'waits' : [redriven.outcome, redriven.reason].filter((text) => text !== undefined).join(' ')}`;
  return [
    position,
    reason,
    valueBytes,
    rounds,
    `${state}${state === 'closed' ? `: ${printable(closed?.reason ?? '')}` : became}`,
    met === undefined ? detail : `${detail}; ${metText(met)}`,
  ];
}

function metText({ of, differs }: Met): string {
  return `${differs.join(' and ')} of ${of} ${differs.length > 1 ? 'differ' : 'differs'}`;
}

function jsonOf({ pointer, state, rounds, redriven, closed, met }: QuarantinedEntry): object {
  return {
    ...pointer,
    ...met,
    state,
    rounds,
    ...(redriven === undefined ? {} : { redriven: { outcome: 'waits', ...redriven } }),
    ...(closed === undefined ? {} : { closed: { ...closed, at: formatInstant(closed.at) } }),
  };
}

export async function show(
  session: Session,
  { json, ...where }: Common,
  text: string,
): Promise<ExitCode> {
  const { output } = session;
  parsePosition(text);
  return await withSystem(session, where, async (system) => {
    const entry = (await quarantineBook(session, system)).find(
      ({ pointer }) => pointer.position === text,
    );
    if (entry === undefined)
      throw new CliError({
        code: 'NOT_THERE',
        message:
          'Expected the position of a quarantined record, found none there; `residency quarantine list` names them.',
        remedy: 'stop',
      });
    const record = await standing(system, entry.pointer);
    const found =
      record === 'expired'
        ? { record: 'EXPIRED' }
        : record === 'replaced'
          ? { record: 'LOG_REPLACED' }
          : {
              record: 'kept',
              appendedAt: formatInstant(record.at),
              attributes: attributesOf(record),
            };
    if (json) await output.json({ ...jsonOf(entry), ...found });
    else {
      const said = {
        ...entry.pointer,
        of: entry.met?.of,
        differs: entry.met?.differs.join(', '),
        state: rowOf(entry)[4],
        rounds: entry.rounds,
        ...found,
        attributes: undefined,
        ...('attributes' in found ? found.attributes : {}),
      };
      for (const [name, value] of Object.entries(said)) {
        if (value !== undefined)
          await output.line(`${name.padEnd(16)} ${printable(String(value))}`);
      }
    }
    if (record === 'expired')
      output.note('EXPIRED: the intake log no longer has the record; ask its publisher.');
    if (record === 'replaced')
      output.note(
        'LOG_REPLACED: another record has this position; the intake log is not the one that was settled (residency doctor). It is not shown.',
      );
    return record === 'replaced' ? EXIT.found : EXIT.done;
  });
}

/**
 * Attributes of the contract. A publisher's other attributes may be personal and are not shown. An
 * unreadable record has none.
 */
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
