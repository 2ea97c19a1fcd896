import { leafOf } from '@residency/auditing';
import type { Proven } from '@residency/auditing';
import {
  TOPICS,
  custodyEventIn,
  isWhereEvent,
  custodyTopic,
  decodeAuditEvent,
  formatPosition,
  parsePosition,
} from '@residency/contracts';
import type { AuditEvent, TopicPartition } from '@residency/contracts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { placeOf } from '../system/outcome.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';
import { refuseExisting } from '../terminal/write-new-file.ts';
import { proveRecord } from './audit-prove-record.ts';
import { provenIn, writeTogether } from '../ledger/proven.ts';
import { requireCustodyRegion } from './require-custody-region.ts';

type Options = Common & {
  readonly out: string;
  readonly position?: string;
  readonly custody?: string;
};

interface Found {
  readonly event: AuditEvent;
  readonly leaf: Uint8Array;
}

export async function proveEvent(
  session: Session,
  options: Options,
  asked: string,
): Promise<ExitCode> {
  return await withSystem(session, options, (system) => run(session, options, asked, system));
}

async function run(
  session: Session,
  options: Options,
  submission: string,
  system: System,
): Promise<ExitCode> {
  const { out, position, custody, json } = options;
  for (const path of [out, `${out}.leaf`]) await refuseExisting(path, '--out');
  if (submission.includes('/')) {
    if (position !== undefined || custody !== undefined)
      throw usage('Expected --position and --custody with a submission id, found a position.');
    return await proveRecord(session, options, submission, system);
  }
  if (custody !== undefined) {
    requireCustodyRegion(custody);
    if (position !== undefined)
      throw usage('Expected --position or --custody, found both; leave one out.');
    return await proveCustody(session, options, { submission, region: custody }, system);
  }
  const found = await eventsOf(system, submission);
  const { event, leaf } = choose(
    found,
    position === undefined ? undefined : formatPosition(parsePosition(position)),
  );
  const proven = await provenIn(system, auditOf(event), leaf);
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

/** The last custody event about a submission. */
async function proveCustody(
  session: Session,
  { out, json }: Options,
  { submission, region }: { readonly submission: string; readonly region: string },
  system: System,
): Promise<ExitCode> {
  let [last, count]: [{ readonly sequence: number; readonly leaf: Buffer } | undefined, number] = [
    undefined,
    0,
  ];
  for await (const { value } of interruptible(session, system.custodyLog(region))) {
    const event = custodyEventIn(value);
    if (value === null || event === undefined || !isWhereEvent(event)) continue;
    if (event.data.submission !== submission) continue;
    last = { sequence: event.sequence, leaf: value };
    count += 1;
  }
  if (last === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected a custody event about this submission in ${custodyTopic(region)}, found none: no site got a copy after it was stored, and it was neither erased nor given up.`,
      remedy: 'stop',
    });
  const { sequence, leaf } = last;
  const proven = await provenIn(system, { topic: custodyTopic(region), partition: 0 }, leaf);
  await writeBoth(out, proven, leaf);
  const { origin, index, size } = proven;
  if (json)
    await session.output.json({
      submission,
      region,
      sequence,
      origin,
      index,
      size,
      receipt: out,
      leaf: `${out}.leaf`,
    });
  else
    await session.output.line(
      `Custody event ${sequence} of ${region}: leaf ${index} of ${origin}, under a checkpoint of ${size}. Receipt in ${printable(out)}, event in ${printable(`${out}.leaf`)}.`,
    );
  if (count > 1)
    session.output.note(`It has ${count} custody events in ${region}; this is the last one.`);
  return EXIT.done;
}

function auditOf({ position: { partition } }: AuditEvent): TopicPartition {
  return { topic: TOPICS.audit, partition };
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
  await writeTogether([
    [`${out}.leaf`, leaf],
    [out, receipt],
  ]);
}
