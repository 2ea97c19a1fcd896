import { isRecordLog, kindOf } from '@residency/auditing';
import { formatPosition, parsePosition, recordForm } from '@residency/contracts';
import type { LogRecord, TopicPartition } from '@residency/contracts';
import { CliError, usage } from '../terminal/cli-error.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { refuseExisting } from '../terminal/write-new-file.ts';
import { provenIn, writeTogether } from '../ledger/proven.ts';

/** Writes a receipt for the record at a position of a log in which append time decides. */
export async function proveRecord(
  session: Session,
  { out, json }: { readonly out: string; readonly json: boolean },
  position: string,
  system: System,
): Promise<ExitCode> {
  const record = await recordAt(system, position);
  const leaf = leafOf(record);
  const form = recordForm(record);
  const told = Buffer.compare(form, leaf) === 0;
  if (!told) await refuseExisting(`${out}.record`, '--out');
  const { topic, partition } = record;
  const proven = await provenIn(system, { topic, partition }, leaf);
  await writeTogether([
    [`${out}.leaf`, leaf],
    ...(told ? [] : [[`${out}.record`, form] as const]),
    [out, proven.receipt],
  ]);
  const { origin, index, size } = proven;
  const said = {
    position,
    origin,
    index,
    size,
    receipt: out,
    leaf: `${out}.leaf`,
    ...(told ? {} : { record: `${out}.record` }),
  };
  if (json) await session.output.json(said);
  else
    await session.output.line(
      `Record ${position}: leaf ${index} of ${origin}, under a checkpoint of ${size}. Receipt in ${printable(out)}, leaf in ${printable(said.leaf)}${told ? '' : `, and what the leaf is a digest of in ${printable(`${out}.record`)}`}.`,
    );
  return EXIT.done;
}

type Found = LogRecord & TopicPartition;

async function recordAt(system: System, text: string): Promise<Found> {
  const position = parsePosition(text);
  const { topic } = position;
  if (!isRecordLog(topic))
    throw usage(
      'Expected a submission id, or the position of a record of residency.policy, residency.control or threat.consents, found another position. For an audit event, give the id of its submission.',
    );
  const record = await system.recordAt(position);
  if (record === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message: `Expected a record at ${formatPosition(position)}, found none; it is another log's position, or the record was removed.`,
      remedy: 'stop',
    });
  return { ...record, topic };
}

function leafOf(record: Found): Uint8Array {
  const leaf = kindOf(record.topic).leafOf(record);
  if (leaf === undefined)
    throw usage('Expected the position of an event, found that of a tick, which no ledger has.');
  return leaf;
}
