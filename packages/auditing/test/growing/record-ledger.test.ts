import { TOPICS, digestLeaf, policyTick, recordForm } from '@residency/contracts';
import { EMPTY_LEDGER, MAX_ENTRY_BYTES, growth, openSignerKey } from '@residency/ledger';
import { MemoryLedgerSource, MemoryLedgerStore } from '@residency/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LeafWatch,
  RECORD_LOGS,
  checkLedger,
  checkpointPath,
  fsck,
  growLedger,
  isLedgerPath,
  isRecordLog,
  kindOf,
  ledgerOrigin,
  ledgerPath,
  prove,
  topicOfOrigin,
} from '../../src/index.ts';
import type { AuditAnomaly, LedgerRecord } from '../../src/index.ts';
import { SECRET, headOf } from './some-ledger.ts';

const POLICY = { topic: TOPICS.policy, partition: 0 };
const TICK = policyTick('t').record;

/** Records of one log: `tick`, or the key of an event. Their offsets are their places. */
function logOf(...keys: readonly string[]): LedgerRecord[] {
  return keys.map((key, nth) => ({
    partition: 0,
    offset: BigInt(nth),
    at: 1_000 + nth,
    ...(key === 'tick'
      ? TICK
      : { key: Buffer.from(key), headers: [], value: Buffer.from(`value ${nth} of ${key}`) }),
  }));
}

/** As compaction leaves it: of each key the last record. */
function compacted(log: readonly LedgerRecord[]): LedgerRecord[] {
  const last = new Map(log.map(({ key, offset }) => [String(key), offset]));
  return log.filter(({ key, offset }) => last.get(String(key)) === offset);
}

interface Stores {
  readonly store: MemoryLedgerStore;
  readonly kept: MemoryLedgerStore;
}

const stores = (): Stores => ({ store: new MemoryLedgerStore(), kept: new MemoryLedgerStore() });

async function termsOf(
  records: readonly LedgerRecord[],
  of: Stores,
  { generation = 1, batch }: { readonly generation?: number; readonly batch?: () => number } = {},
) {
  return {
    ...of,
    source: new MemoryLedgerSource(records, {
      topic: POLICY.topic,
      ...(batch === undefined ? {} : { batch }),
    }),
    signer: await openSignerKey(
      SECRET,
      ledgerOrigin('residency-router', 'log-1', POLICY, generation),
    ),
    generation,
    signal: new AbortController().signal,
  };
}

async function grown(
  records: readonly LedgerRecord[],
  of: Stores,
  options: { readonly generation?: number; readonly batch?: () => number } = {},
): Promise<readonly (readonly [kind: string, position: string, leaf: number])[]> {
  const found: AuditAnomaly[] = [];
  await growLedger({
    ...(await termsOf(records, of, options)),
    watch: new LeafWatch({
      log: 'log-1',
      of: POLICY,
      onAnomaly: (anomaly) => {
        found.push(anomaly);
      },
    }),
    intervalMs: 0,
    now: () => 0,
    until: 'end',
  });
  return found.map(({ kind, position, leaf }) => [kind, position, leaf]);
}

const reads =
  ({ store }: Stores, generation = 1) =>
  (path: string): Promise<Uint8Array | undefined> =>
    store.read(ledgerPath(POLICY, path, generation));

async function rootOf(of: Stores): Promise<string> {
  const note = (await of.store.read(checkpointPath(POLICY))) ?? new Uint8Array();
  const { size, root } = headOf(Buffer.from(note).toString().split('\n\n')[0]?.concat('\n') ?? '');
  return `${size} ${Buffer.from(root).toString('base64')}`;
}

/** The tree over all records that are no ticks, by itself. */
function expectedRoot(log: readonly LedgerRecord[]): string {
  const leaves = log.filter(({ key }) => String(key) !== 'tick').map((one) => recordForm(one));
  const { root, state } = growth(EMPTY_LEDGER, leaves);
  return `${state.size} ${Buffer.from(root).toString('base64')}`;
}

test('the logs in which append time decides are of one kind, and their ledgers are named by their topics', () => {
  for (const of of RECORD_LOGS) {
    expect(kindOf(of.topic).compacted).toBe(true);
    const origin = ledgerOrigin('some.example/router', 'log-1', of, 2);
    expect(origin).toBe(`some.example/router/log-1/${of.topic}/0/g2`);
    expect(topicOfOrigin(origin)).toBe(of.topic);
    expect(isLedgerPath(ledgerPath(of, 'tile/0/000', 2))).toBe(true);
  }
  expect(isRecordLog(TOPICS.subjects)).toBe(false);
  expect(isLedgerPath('threat.subjects/0/checkpoint')).toBe(false);
});

test('a leaf is the record with append time and offset, and its digest if that is too long', () => {
  const [one] = logOf('a');
  if (one === undefined) throw new Error('no record');
  const { leafOf } = kindOf(POLICY.topic);
  expect(leafOf(one)).toEqual(recordForm(one));
  const long = { ...one, value: Buffer.alloc(MAX_ENTRY_BYTES) };
  expect(leafOf(long)).toEqual(digestLeaf(long));
  expect(leafOf({ ...one, ...TICK })).toBeUndefined();
  expect(leafOf({ ...one, key: TICK.key })).toBeUndefined();
});

describe('the tree', () => {
  test('is that of all records but ticks, however the log was compacted and read meanwhile', async () => {
    const keys = fc.array(fc.constantFrom('tick', 'tick', 'tick', 'x', 'y'), { maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(
        keys,
        fc.nat(24),
        fc.integer({ min: 1, max: 5 }),
        async (marks, at, size) => {
          // Keys are unique, as an honest publisher makes them.
          const log = logOf(
            ...marks.map((mark, nth) => (mark === 'tick' ? mark : `${mark}-${nth}`)),
          );
          const of = stores();
          const batch = (): number => size;
          expect(await grown(log.slice(0, at), of, { batch })).toEqual([]);
          expect(await grown(compacted(log), of, { batch })).toEqual([]);
          if (log.some(({ key }) => String(key) !== 'tick'))
            expect(await rootOf(of)).toBe(expectedRoot(log));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('has what a repeated key removed from the log, and the auditor names both', async () => {
    const log = logOf('a', 'b', 'tick', 'c');
    const of = stores();
    await grown(log, of);
    const more = logOf('a', 'b', 'tick', 'c', 'b', 'd');
    expect(await grown(more.slice(0, 5), of)).toEqual([
      ['REPEATED_KEY', 'log-1/residency.policy/0/4', 3],
    ]);
    expect(await grown(compacted(more), of)).toEqual([
      ['MISSING', 'log-1/residency.policy/0/1', 1],
    ]);
    expect(await rootOf(of)).toBe(expectedRoot(more));
    const { fault, entryFaults } = await fsck(reads(of));
    expect([fault, entryFaults.list]).toEqual([undefined, [{ code: 'REPEATED_KEY', index: 3 }]]);
  });

  test('goes on over a record whose key is repeated before the auditor is back', async () => {
    const log = logOf('a', 'b', 'b', 'c');
    const of = stores();
    await grown(log.slice(0, 2), of);
    expect(await grown(compacted(log), of)).toEqual([['MISSING', 'log-1/residency.policy/0/1', 1]]);
    expect(await rootOf(of)).toBe(expectedRoot(log));
  });

  test('begins with the checkpoint before it in a later generation, and grows on over a compacted log', async () => {
    const of = stores();
    const log = logOf('tick', 'a', 'tick', 'b');
    await grown(log.slice(0, 2), of, { generation: 2 });
    await grown(log, of, { generation: 2 });
    await grown(compacted([...log, ...logOf('0', '1', '2', '3', 'e').slice(4)]), of, {
      generation: 2,
    });
    expect(await fsck(reads(of, 2))).toMatchObject({
      checkpoint: { size: 4 },
      entryFaults: { total: 0 },
    });
  });

  test('goes on behind the first leaf of a later generation that has no record yet', async () => {
    const of = stores();
    await grown(logOf('tick'), of, { generation: 2 });
    expect(await grown(logOf('tick', 'a'), of, { generation: 2 })).toEqual([]);
    expect(await fsck(reads(of, 2))).toMatchObject({ checkpoint: { size: 2 } });
  });
});

describe('nothing is signed, and nothing is routed on one machine, over a log in which', () => {
  const log = logOf('a', 'tick', 'b', 'c');
  test.each([
    ['a record was altered', log.with(2, { ...(log[2] as LedgerRecord), value: Buffer.from('x') })],
    ['an append time was altered', log.with(2, { ...(log[2] as LedgerRecord), at: 5 })],
    [
      'a header was altered',
      log.with(2, { ...(log[2] as LedgerRecord), headers: [['a', Buffer.from('b')]] }),
    ],
    [
      'a record was put in the place of a tick',
      log.with(1, { ...(log[2] as LedgerRecord), offset: 1n }),
    ],
    ['the last records are gone', log.slice(0, 3)],
    ['every record is another', logOf('x', 'y', 'z', 'v', 'w')],
    ['nothing is left', []],
  ])('%s', async (_, altered) => {
    const of = stores();
    await grown(log, of);
    const expected = { code: 'LEDGER_AHEAD_OF_LOG', remedy: 'stop' };
    await expect(grown(altered, of)).rejects.toMatchObject(expected);
    await expect(checkLedger(await termsOf(altered, of))).rejects.toMatchObject(expected);
    expect(await rootOf(of)).toBe(expectedRoot(log));
  });
});

test('a batch of ticks is not the end of the log', async () => {
  const of = stores();
  const log = logOf('a', ...Array<string>(30).fill('tick'), 'b', ...Array<string>(30).fill('tick'));
  expect(await grown(log, of, { batch: () => 4 })).toEqual([]);
  expect(await rootOf(of)).toBe(expectedRoot(log));
});

test('a finding is made once, although growing begins again', async () => {
  const of = stores();
  const log = logOf('a', 'b', 'b', 'c');
  await grown(log.slice(0, 2), of);
  const found: string[] = [];
  const watch = new LeafWatch({
    log: 'log-1',
    of: POLICY,
    onAnomaly: ({ kind }) => {
      found.push(kind);
    },
  });
  for (const records of [compacted(log), compacted(logOf('a', 'b', 'b', 'c', 'c'))])
    await growLedger({
      ...(await termsOf(records, of)),
      watch,
      intervalMs: 0,
      now: () => 0,
      until: 'end',
    });
  expect(found).toEqual(['MISSING', 'MISSING', 'REPEATED_KEY']);
});

test('a record is proven by its leaf, which is found by its offset', async () => {
  const of = stores();
  const log = logOf(
    ...Array.from({ length: 600 }, (_, nth) => (nth % 3 === 0 ? 'tick' : `k-${nth}`)),
  );
  await grown(log, of);
  const record = log[500] as LedgerRecord;
  let read = 0;
  const files = reads(of);
  const proven = await prove(
    (path) => {
      read += path.startsWith('tile/entries') ? 1 : 0;
      return files(path);
    },
    recordForm(record),
    POLICY.topic,
  );
  expect(proven).toMatchObject({
    index: 333,
    size: 400,
    origin: 'residency-router/log-1/residency.policy/0',
  });
  expect(read).toBeLessThan(5);
});
