import { TOPICS, policyTick, recordForm } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import {
  EMPTY_LEDGER,
  NOTE_SIGNATURE,
  growth,
  makeKey,
  openSignerKey,
  parseVerifierKey,
  signCheckpoint,
} from '@residency/ledger';
import { describe, expect, it } from 'vitest';
import { compareLedgers } from '../src/index.ts';
import type { LedgerComparison, LedgerView } from '../src/index.ts';

const ORIGIN = 'ledger.example/log-1/residency.policy/0';
const { signerKey, verifierKey } = await makeKey(
  ORIGIN,
  new Uint8Array(32).fill(1),
  NOTE_SIGNATURE,
);

/** `tick`, or the key of an event. */
function logOf(...keys: readonly string[]): LogRecord[] {
  return keys.map((key, nth) => ({
    topic: TOPICS.policy,
    partition: 0,
    offset: BigInt(nth),
    at: 1_000 + nth,
    ...(key === 'tick'
      ? policyTick('t').record
      : { key: Buffer.from(key), headers: [], value: Buffer.from(`value ${nth}`) }),
  }));
}

const LOG = logOf('tick', 'a', 'b', 'tick', 'c', 'd');
const leavesOf = (log: readonly LogRecord[]): Buffer[] =>
  log.filter(({ key }) => String(key) !== 'tick').map((one) => recordForm(one));

async function noteOver(leaves: readonly Uint8Array[]): Promise<Uint8Array> {
  const { root, state } = growth(EMPTY_LEDGER, leaves);
  return await signCheckpoint(
    { origin: ORIGIN, size: state.size, root, extensions: [] },
    await openSignerKey(signerKey),
  );
}

async function view(
  leaves: readonly Uint8Array[],
  more: Partial<LedgerView> = {},
): Promise<LedgerView> {
  const files = new Map<string, Uint8Array>(
    growth(EMPTY_LEDGER, leaves).files.map(({ path, bytes }) => [path, Uint8Array.from(bytes)]),
  );
  files.set('checkpoint', await noteOver(leaves));
  return {
    of: { topic: TOPICS.policy, partition: 0 },
    read: (path) => Promise.resolve(files.get(path)),
    trust: { keys: [parseVerifierKey(verifierKey)] },
    ...more,
  };
}

async function compared(
  log: readonly LogRecord[],
  more: Partial<LedgerView> = {},
): Promise<LedgerComparison> {
  async function* records(): AsyncGenerator<LogRecord> {
    yield* log;
  }
  return await compareLedgers(records(), [await view(leavesOf(LOG), more)]);
}

const found = ({ differences: { list } }: LedgerComparison): string[] =>
  list.map(({ code, position }) => `${code} ${position.replace('residency.policy/0', '')}`);

it('compares each record with the leaf that names its offset, and no tick', async () => {
  const more = [...LOG, ...logOf(...LOG.map(() => 'x'), 'tick', 'e').slice(LOG.length)];
  expect(await compared(more)).toMatchObject({
    ledgers: [{ size: 4, records: 5, compared: 4, notYet: 1 }],
    differences: { total: 0 },
    absent: [],
  });
});

describe('finds and names', () => {
  const [tick, a, b, , c, d] = LOG as [
    LogRecord,
    LogRecord,
    LogRecord,
    LogRecord,
    LogRecord,
    LogRecord,
  ];
  it.each<readonly [what: string, log: readonly LogRecord[], found: readonly string[]]>([
    ['a record that was removed', [a, c, d], ['LEDGER_RECORD_MISSING /2']],
    [
      'the first records that were trimmed',
      [c, d],
      ['LEDGER_RECORD_MISSING /1', 'LEDGER_RECORD_MISSING /2'],
    ],
    ['an altered value', [a, { ...b, value: Buffer.from('x') }, c, d], ['LEDGER_LEAF_DIFFERS /2']],
    ['an altered append time', [a, { ...b, at: 5 }, c, d], ['LEDGER_LEAF_DIFFERS /2']],
    ['an altered key', [a, { ...b, key: Buffer.from('x') }, c, d], ['LEDGER_LEAF_DIFFERS /2']],
    [
      'a record in the place of a tick',
      [{ ...b, offset: 0n, key: Buffer.from('x') }, a, b, c, d],
      ['LEDGER_RECORD_ADDED /0'],
    ],
    ['the end of the log', [tick, a, b], ['LEDGER_AHEAD ']],
    ['a repeated key', [a, b, c, d, { ...a, offset: 9n }], ['REPEATED_KEY /9']],
    ['an empty log', [], ['LEDGER_AHEAD ']],
  ])('%s', async (_, log, expected) => {
    expect(found(await compared(log))).toEqual(expected);
  });

  it('a log that is not the one of the checkpoint kept apart, and not what compaction removed', async () => {
    const kept = await noteOver(leavesOf(LOG));
    expect(found(await compared([a, c, d], { kept }))).toEqual(['LEDGER_RECORD_MISSING /2']);
    const ahead = await noteOver(leavesOf([...LOG, { ...d, offset: 6n }]));
    expect(
      found(await compared([...LOG, { ...d, key: Buffer.from('e'), offset: 7n }], { kept: ahead })),
    ).toEqual(['LEDGER_ROLLED_BACK ']);
  });
});

it('takes the first leaf of a later generation as no record', async () => {
  const first = Buffer.from('the checkpoint before');
  const later = await view([first, ...leavesOf(LOG)], { successor: true });
  async function* records(): AsyncGenerator<LogRecord> {
    yield* LOG;
  }
  expect(await compareLedgers(records(), [later])).toMatchObject({
    ledgers: [{ size: 5, compared: 4, notYet: 0 }],
    differences: { total: 0 },
  });
});

it('of a damaged ledger says that, and not that the log lost its end', async () => {
  const { read } = await view(leavesOf(LOG));
  const damaged = (path: string) =>
    path.startsWith('tile/entries') ? Promise.resolve(undefined) : read(path);
  const comparison = await compared(LOG, { read: damaged });
  expect(found(comparison)).toEqual([expect.stringContaining('LEDGER_DAMAGED')]);
  expect(comparison.ledgers).toMatchObject([{ records: 4, compared: 0, notYet: 0 }]);
});
