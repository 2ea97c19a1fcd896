import { rm } from 'node:fs/promises';
import { leafOf, prove } from '@residency/auditing';
import type { Proven } from '@residency/auditing';
import { decodeAuditEvent, formatPosition, parsePosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { readOf } from '../ledger/ledgers.ts';
import { placeOf } from '../system/outcome.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';
import { refuseExisting, writeNewFile } from '../terminal/write-new-file.ts';

type Options = Common & { readonly out: string; readonly position?: string };

interface Found {
  readonly event: AuditEvent;
  readonly leaf: Uint8Array;
}

export async function proveEvent(
  session: Session,
  options: Options,
  submission: string,
): Promise<ExitCode> {
  return await withSystem(session, options, (system) => run(session, options, submission, system));
}

async function run(
  session: Session,
  { out, position, json }: Options,
  submission: string,
  system: System,
): Promise<ExitCode> {
  for (const path of [out, `${out}.leaf`]) await refuseExisting(path, '--out');
  const found = await eventsOf(system, submission);
  const { event, leaf } = choose(
    found,
    position === undefined ? undefined : formatPosition(parsePosition(position)),
  );
  const { partition } = event.position;
  const ledgers = await system.ledgers();
  const keys = await ledgers.verifierKeys(partition);
  const proven = await prove(
    readOf(ledgers, partition),
    leaf,
    event,
    keys.length === 0 ? undefined : { keys },
  );
  await writeBoth(out, proven, leaf);
  const said = {
    submission,
    position: formatPosition(event.position),
    outcome: event.outcome,
    origin: proven.origin,
    index: proven.index,
    size: proven.size,
    receipt: out,
    leaf: `${out}.leaf`,
  };
  if (json) await session.output.json(said);
  else
    await session.output.line(
      `Event of ${said.position} (${event.outcome}, ${placeOf(event)}): leaf ${proven.index} of ${proven.origin}, under a checkpoint of ${proven.size}. Receipt in ${printable(out)}, event in ${printable(`${out}.leaf`)}.`,
    );
  if (found.length > 1)
    session.output.note(
      `It has ${found.length} events; the others: ${found
        .filter((one) => one.event !== event)
        .map((one) => formatPosition(one.event.position))
        .join(', ')}. Name one with --position.`,
    );
  return EXIT.done;
}

async function eventsOf(system: System, submission: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const bytes of system.auditRecords({ submission }))
    found.push({ event: decodeAuditEvent(bytes), leaf: leafOf(bytes) });
  return found;
}

function choose(found: readonly Found[], position: string | undefined): Found {
  const chosen =
    position === undefined
      ? (found.find(({ event }) => event.outcome === 'stored') ?? found.at(-1))
      : found.find(({ event }) => formatPosition(event.position) === position);
  if (chosen === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected an audit event about this submission${position === undefined ? '' : ' and that record'}, found none; see \`residency status\` for what became of it.`,
      remedy: 'stop',
    });
  return chosen;
}

async function writeBoth(out: string, { receipt }: Proven, leaf: Uint8Array): Promise<void> {
  await writeNewFile(`${out}.leaf`, leaf, '--out');
  try {
    await writeNewFile(out, receipt, '--out');
  } catch (error) {
    await rm(`${out}.leaf`, { force: true });
    throw error;
  }
}
