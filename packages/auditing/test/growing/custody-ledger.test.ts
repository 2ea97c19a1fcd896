import { TOPICS, custodyTopic } from '@residency/contracts';
import { LedgerReader, openSignerKey } from '@residency/ledger';
import {
  MemoryLedgerSource,
  MemoryLedgerStore,
  auditPartition,
  auditRecord,
  someCustodyEvent,
  someCustodyEvents,
} from '@residency/testkit';
import { describe, expect, test } from 'vitest';
import {
  LeafWatch,
  beginLedger,
  checkLedger,
  checkpointPath,
  fsck,
  growLedger,
  isLedgerPath,
  kindOf,
  ledgerOrigin,
  ledgerPath,
  prove,
  topicOfOrigin,
} from '../../src/index.ts';
import type { AuditAnomaly, AuditRecord } from '../../src/index.ts';
import { SECRET } from './some-ledger.ts';

const ZURICH = { topic: custodyTopic('zurich'), partition: 0 };
const EVENTS = someCustodyEvents(600);

const recordsOf = (values: readonly (Buffer | null)[]): AuditRecord[] =>
  values.map((value, nth) => auditRecord(value, nth));

interface Stores {
  readonly store: MemoryLedgerStore;
  readonly kept: MemoryLedgerStore;
}

const stores = (): Stores => ({ store: new MemoryLedgerStore(), kept: new MemoryLedgerStore() });

async function termsOf(values: readonly (Buffer | null)[], of: Stores, generation = 1) {
  return {
    ...of,
    source: new MemoryLedgerSource(recordsOf(values), { topic: ZURICH.topic }),
    signer: await openSignerKey(
      SECRET,
      ledgerOrigin('residency-router', 'log-1', ZURICH, generation),
    ),
    generation,
    signal: new AbortController().signal,
  };
}

async function grown(
  values: readonly (Buffer | null)[],
  of: Stores,
  generation = 1,
): Promise<AuditAnomaly[]> {
  const anomalies: AuditAnomaly[] = [];
  await growLedger({
    ...(await termsOf(values, of, generation)),
    watch: new LeafWatch({
      log: 'log-1',
      of: ZURICH,
      onAnomaly: (anomaly) => {
        anomalies.push(anomaly);
      },
    }),
    intervalMs: 0,
    now: () => 0,
    until: 'end',
  });
  return anomalies;
}

const reads =
  ({ store }: Stores, generation = 1) =>
  (path: string): Promise<Uint8Array | undefined> =>
    store.read(ledgerPath(ZURICH, path, generation));

describe('the ledger over a custody log', () => {
  test('is named by its topic, beside the ledgers of the audit log, whose names stay', () => {
    expect(ledgerOrigin('p', 'log-1', ZURICH)).toBe('p/log-1/residency.custody.zurich/0');
    expect(ledgerOrigin('p', 'log-1', ZURICH, 3)).toBe('p/log-1/residency.custody.zurich/0/g3');
    expect(ledgerOrigin('p', 'log-1', auditPartition(4))).toBe('p/log-1/4');
    expect(ledgerPath(ZURICH, 'checkpoint', 2)).toBe('residency.custody.zurich/0/g2/checkpoint');
    expect(ledgerPath(auditPartition(4), 'checkpoint')).toBe('4/checkpoint');
    for (const origin of [
      'p/log-1/residency.custody.zurich/0',
      'p/l/residency.custody.zurich/0/g2',
    ])
      expect(topicOfOrigin(origin)).toBe('residency.custody.zurich');
    for (const origin of ['p/log-1/0', 'a/b/log-1/0/g2', 'p/residency.custody.ZURICH/0', ''])
      expect(topicOfOrigin(origin)).toBe(TOPICS.audit);
  });

  test.each([
    ['residency.custody.zurich/0/checkpoint', true],
    ['residency.custody.zurich/0/g2/tile/0/000.p/3', true],
    ['residency.custody.zurich/checkpoint', false],
    ['residency.custody./0/checkpoint', false],
    ['residency.custody...', false],
    ['residency.custody.zurich/../0/checkpoint', false],
    ['residency.custody.zurich/0/../checkpoint', false],
    ['threat.samples/0/checkpoint', false],
  ])('%s as the path of a file: %s', (path, expected) => {
    expect(isLedgerPath(path)).toBe(expected);
  });

  test('has the events byte for byte, and continues behind its last leaf', async () => {
    const of = stores();
    expect(await grown(EVENTS.slice(0, 300), of)).toEqual([]);
    expect(await grown(EVENTS, of)).toEqual([]);
    const report = await fsck(reads(of));
    expect(report).toMatchObject({
      checkpoint: { origin: 'residency-router/log-1/residency.custody.zurich/0', size: 600 },
      entryFaults: { total: 0 },
    });
    const reader = await LedgerReader.open(
      report.checkpoint ?? { size: 0, root: new Uint8Array() },
      reads(of),
    );
    expect((await reader.entries(1)).map((entry) => Buffer.from(entry))).toEqual(
      EVENTS.slice(256, 512),
    );
    const asked: string[] = [];
    expect(
      await prove(
        (path) => {
          asked.push(path);
          return reads(of)(path);
        },
        EVENTS[400] ?? Buffer.alloc(0),
        ZURICH.topic,
      ),
    ).toMatchObject({ index: 400 });
  });

  test.each<[string, (Buffer | null)[], Partial<AuditAnomaly>[]]>([
    [
      'an event is missing',
      EVENTS.slice(0, 6).toSpliced(3, 1),
      [{ kind: 'HOLE', leaf: 3, position: 'log-1/threat.samples/0/4' }],
    ],
    [
      'an event is there twice',
      EVENTS.slice(0, 4).toSpliced(2, 0, ...EVENTS.slice(1, 2)),
      [{ kind: 'REPEAT', leaf: 2 }],
    ],
    [
      'an event was altered',
      [...EVENTS.slice(0, 2), someCustodyEvent(2, { previous: 'a'.repeat(64) })],
      [{ kind: 'HOLE', leaf: 2 }],
    ],
    [
      'something is no event',
      [EVENTS[0] ?? null, Buffer.from('{}'), null],
      [
        { kind: 'UNDECODABLE', leaf: 1, position: 'log-1/residency.custody.zurich/0/1' },
        { kind: 'UNDECODABLE', leaf: 2, position: 'log-1/residency.custody.zurich/0/2' },
      ],
    ],
    [
      "an event is another region's",
      [...EVENTS.slice(0, 1), someCustodyEvent(0, { region: 'moscow' })],
      [{ kind: 'MISPLACED', leaf: 1 }],
    ],
    [
      "an event is another log's",
      [...someCustodyEvents(1, { log: 'log-2' })],
      [{ kind: 'MISPLACED', leaf: 0 }],
    ],
  ])('says once that %s, and has the leaf all the same', async (_, values, expected) => {
    const of = stores();
    expect(await grown(values, of)).toMatchObject(expected);
    expect(await grown(values, of)).toEqual([]);
    const faults = expected.filter(({ kind }) => kind !== 'MISPLACED');
    expect(
      (await fsck(reads(of))).entryFaults.list.map(({ code, index }) => ({
        kind: code,
        leaf: index,
      })),
    ).toEqual(faults.map(({ kind, leaf }) => ({ kind, leaf })));
  });

  test('is not continued on a log that was rolled back, altered, or lost its end', async () => {
    const of = stores();
    await grown(EVENTS.slice(0, 300), of);
    const code = async (values: readonly Buffer[], which = of): Promise<unknown> =>
      await checkLedger(await termsOf(values, which)).then(
        () => undefined,
        (error: unknown) => (error as { code?: unknown }).code,
      );
    expect(await code(EVENTS)).toBeUndefined();
    expect(await code(EVENTS.slice(0, 200))).toBe('LEDGER_AHEAD_OF_LOG');
    // Log and ledger of an older copy: only the checkpoint that is kept apart tells.
    const older = stores();
    await grown(EVENTS.slice(0, 200), older);
    expect(await code(EVENTS.slice(0, 200), { store: older.store, kept: of.kept })).toBe(
      'LEDGER_ROLLED_BACK',
    );
  });
});

describe('a custody log under a key file of a later generation', () => {
  test('that never had a ledger gets one, whose first leaf is empty and kept in both places', async () => {
    const of = stores();
    expect(await grown(EVENTS.slice(0, 10), of, 2)).toEqual([]);
    expect((await fsck(reads(of, 2))).checkpoint?.size).toBe(11);
    for (const store of [of.store, of.kept])
      expect(await store.read(ledgerPath(ZURICH, 'first', 2))).toHaveLength(0);
    expect(await grown(EVENTS.slice(0, 20), of, 2)).toEqual([]);
    expect((await fsck(reads(of, 2))).entryFaults.total).toBe(0);
  });

  test('that had one begins with its last checkpoint, and with nothing else', async () => {
    const of = stores();
    await grown(EVENTS.slice(0, 10), of);
    await expect(grown(EVENTS.slice(0, 10), of, 2)).rejects.toMatchObject({ code: 'LEDGER_FORK' });
    expect(await beginLedger({ ...of, of: ZURICH, generation: 2 })).toEqual({ after: 10 });
    await grown(EVENTS.slice(0, 12), of, 2);
    expect(await of.store.read(ledgerPath(ZURICH, 'first', 2))).toEqual(
      await of.store.read(checkpointPath(ZURICH)),
    );
  });
});

test('kinds: where an event stands, and when it was recorded', () => {
  const kind = kindOf(ZURICH.topic);
  expect(EVENTS.slice(0, 3).map((event) => kind.orderOf(event))).toEqual([0n, 1n, 2n]);
  expect(kind.timeOf(EVENTS[2] ?? Buffer.alloc(0))).toBe(Date.UTC(2026, 0, 1) + 2);
  expect(kind.orderOf(Buffer.from('{}'))).toBeUndefined();
  expect(kindOf(TOPICS.audit).orderOf(EVENTS[2] ?? Buffer.alloc(0))).toBeUndefined();
});
