import { defined } from '@residency/defined';
import { codeOf } from '@residency/coded-error';
import { existsSync } from 'node:fs';
import { decodeKafka } from '@residency/cloudevents';
import {
  auditEventIn,
  custodyEventIn,
  digestLeaf,
  formatPosition,
  offsetOfLeaf,
  recordInForm,
} from '@residency/contracts';
import type { RecordContent } from '@residency/contracts';
import { parseReceipt, verifyReceipt } from '@residency/ledger';
import type { VerifiedReceipt } from '@residency/ledger';
import { formatInstant } from '@residency/residency';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { placeOf } from '../system/outcome.ts';
import { printable } from '../terminal/output.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { parseVerifierKeys, trustIn } from '../ledger/verifier-keys.ts';

type Options = Common & {
  readonly key: readonly string[];
  readonly leaf?: string;
  readonly record?: string;
};

export async function verify(
  session: Session,
  { key: named, leaf: leafFile, record: recordFile, json }: Options,
  path: string,
): Promise<ExitCode> {
  const { output } = session;
  const key = parseVerifierKeys(named);
  const receipt = await readNamed(path, 'the receipt');
  const leaf = await readNamed(leafFile ?? `${path}.leaf`, 'the leaf');
  let verified: VerifiedReceipt;
  try {
    verified = await verifyReceipt(
      receipt,
      leaf,
      trustIn(key, checkpointOf(receipt)) ?? { keys: key },
    );
  } catch (error) {
    const code = codeOf(error);
    if (
      code === undefined ||
      code === 'INVALID_TRUST' ||
      code === 'CRYPTO_UNAVAILABLE' ||
      !(error instanceof Error)
    )
      throw error;
    await (json
      ? output.json({ verified: false, code, message: error.message })
      : output.line(`${code}  ${error.message}`));
    return EXIT.found;
  }
  const record = await recordBehind(leaf, recordFile, path);
  if (record === 'another') {
    const message =
      'Expected the record that the leaf is a digest of, found another; name the file that came with this receipt.';
    await (json
      ? output.json({ verified: false, code: 'RECORD_DIFFERS', message })
      : output.line(`RECORD_DIFFERS  ${message}`));
    return EXIT.found;
  }
  const said = record === undefined ? saidBy(leaf) : saidByRecord(record);
  await (json
    ? output.json({ verified: true, ...committed(verified), ...said })
    : output.lines(lines(verified, said)));
  return EXIT.done;
}

function checkpointOf(receipt: Uint8Array): Uint8Array | undefined {
  try {
    return parseReceipt(receipt).checkpoint;
  } catch {
    return undefined;
  }
}

function committed({ index, checkpoint: { origin, size, root } }: VerifiedReceipt): {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  readonly root: string;
} {
  return { origin, index, size, root: Buffer.from(root).toString('base64') };
}

/**
 * The content of the leaf. The ledger's signer committed to these bytes; they may still be false.
 */
function saidBy(leaf: Uint8Array): Readonly<Record<string, unknown>> {
  const event = auditEventIn(leaf);
  const record = event === undefined ? recordInForm(leaf) : undefined;
  if (record !== undefined) return saidByRecord(record);
  const offset = event === undefined ? offsetOfLeaf(leaf) : undefined;
  if (offset !== undefined) return { record: 'a digest', offset: String(offset) };
  if (event === undefined) return saidByCustody(leaf);
  const { submission } = event.data;
  const country = 'country' in event.data ? event.data.country : undefined;
  return {
    outcome: event.outcome,
    place: placeOf(event),
    position: formatPosition(event.position),
    time: formatInstant(event.at),
    ...defined({ submission, country }),
    ...('decision' in event.data && event.data.decision !== undefined
      ? { rule: event.data.decision.rule, policy: event.data.decision.policy }
      : {}),
    ...('placements' in event.data
      ? { sites: event.data.placements?.map(({ site }) => site) }
      : {}),
  };
}

/** The record of a log in which append time decides. Its publisher controls it. */
function saidByRecord(record: RecordContent): Readonly<Record<string, unknown>> {
  return {
    offset: String(record.offset),
    appended: formatInstant(record.at),
    ...defined({ event: typeOf(record) }),
    key: record.key?.toString('utf8') ?? null,
  };
}

function typeOf(record: RecordContent): string | undefined {
  try {
    return decodeKafka(record).type;
  } catch {
    return undefined;
  }
}

/** `undefined`: the leaf is no digest, or no record is at hand. */
async function recordBehind(
  leaf: Uint8Array,
  file: string | undefined,
  receipt: string,
): Promise<RecordContent | 'another' | undefined> {
  if (offsetOfLeaf(leaf) === undefined || recordInForm(leaf) !== undefined) return undefined;
  const path = file ?? `${receipt}.record`;
  if (file === undefined && !existsSync(path)) return undefined;
  const record = recordInForm(await readNamed(path, 'the record'));
  return record !== undefined && digestLeaf(record).equals(leaf) ? record : 'another';
}

function saidByCustody(leaf: Uint8Array): Readonly<Record<string, unknown>> {
  const event = custodyEventIn(leaf);
  if (event === undefined) return { event: null };
  const said = { custody: event.type, number: event.sequence, time: formatInstant(event.at) };
  const { data } = event;
  const { region } = data;
  if ('access' in data) {
    const { previous: _, ...told } = data;
    return { ...said, ...told };
  }
  if ('sites' in data) {
    const { submission, of: position, order, sites } = data;
    const names = sites.map(({ site }) => site).join(' ');
    return { ...said, region, submission, position, order, sites: names };
  }
  return 'copy' in data
    ? {
        ...said,
        region,
        submission: data.submission,
        position: data.of,
        site: data.copy.site,
      }
    : {
        ...said,
        region,
        order: data.order,
        ...('site' in data ? defined({ site: data.site }) : {}),
      };
}

function lines(verified: VerifiedReceipt, said: ReturnType<typeof saidBy>): string[] {
  const { origin, index, size, root } = committed(verified);
  const rows =
    said['event'] === null
      ? [['leaf', 'no event']]
      : Object.entries(said).map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value),
        ]);
  return [
    `Verified: leaf ${index} of ${origin}, under its checkpoint of ${size} leaves (root ${root}).`,
    ...rows.map(([name = '', value = '']) => `${name.padEnd(12)}${printable(value)}`),
  ];
}
