import { encodeAuditEvent } from '@residency/contracts';
import {
  auditPartition,
  MemoryLedgerStore,
  MemoryLedgerSource,
  auditRecord,
  someAuditEvent,
  someAuditRecords,
} from '@residency/testkit';
import { describe, expect, test } from 'vitest';
import { LeafWatch, RecentRegions, growLedger } from '../../src/index.ts';
import type { AuditRecord, AuditAnomaly } from '../../src/index.ts';
import { entriesUnder, grow, leavesOf, published, signerOf } from './some-ledger.ts';

const RECORDS = someAuditRecords(8);
const event = (...of: Parameters<typeof someAuditEvent>): Buffer =>
  encodeAuditEvent(someAuditEvent(...of));
const logOf = (...values: (Buffer | null)[]): AuditRecord[] =>
  values.map((value, nth) => auditRecord(value, nth));
const VALUES = RECORDS.map(({ value }) => value);

describe.each<[string, (Buffer | null)[], Omit<AuditAnomaly, 'submission'>[]]>([
  ['nothing is wrong', VALUES, []],
  [
    'an event is missing',
    VALUES.toSpliced(3, 1),
    [{ kind: 'HOLE', leaf: 3, position: 'log-1/threat.samples/0/4' }],
  ],
  [
    'the first event is missing',
    VALUES.slice(1),
    [{ kind: 'HOLE', leaf: 0, position: 'log-1/threat.samples/0/1' }],
  ],
  [
    'an event is there twice',
    VALUES.toSpliced(3, 0, VALUES[2] ?? null),
    [{ kind: 'REPEAT', leaf: 3, position: 'log-1/threat.samples/0/2' }],
  ],
  [
    'an old event comes again',
    [...VALUES, VALUES[0] ?? null],
    [{ kind: 'REPEAT', leaf: 8, position: 'log-1/threat.samples/0/0' }],
  ],
  [
    'two events changed places',
    [VALUES[0] ?? null, VALUES[2] ?? null, VALUES[1] ?? null, VALUES[3] ?? null],
    [
      { kind: 'HOLE', leaf: 1, position: 'log-1/threat.samples/0/2' },
      { kind: 'REPEAT', leaf: 2, position: 'log-1/threat.samples/0/1' },
    ],
  ],
  [
    'something is no event',
    [...VALUES.slice(0, 4), Buffer.from('{}'), null, ...VALUES.slice(4)],
    [
      { kind: 'UNDECODABLE', leaf: 4, position: 'log-1/residency.audit/0/4' },
      { kind: 'UNDECODABLE', leaf: 5, position: 'log-1/residency.audit/0/5' },
    ],
  ],
  [
    'an event is of another partition',
    [...VALUES, event(0, { partition: 1 })],
    [{ kind: 'MISPLACED', leaf: 8, position: 'log-1/threat.samples/1/0' }],
  ],
  [
    'one identity was stored in two regions',
    [event(0, { name: 'one' }), event(1), event(2), event(3, { name: 'one', region: 'moscow' })],
    [{ kind: 'ALSO_IN', leaf: 3, position: 'log-1/threat.samples/0/3' }],
  ],
])('where %s', (_what, values, anomalies) => {
  test('just that is found, and every record is a leaf all the same', async () => {
    const store = new MemoryLedgerStore();
    const records = logOf(...values);
    const grown = await grow(store, records);
    expect(grown.anomalies.map(({ kind, leaf, position }) => ({ kind, leaf, position }))).toEqual(
      anomalies,
    );
    expect(await entriesUnder(store, (await published(store)) ?? expect.fail())).toEqual(
      leavesOf(records),
    );
  });
});

test('an anomaly names the submission, and nothing else of the event', async () => {
  const { anomalies } = await grow(new MemoryLedgerStore(), logOf(VALUES[1] ?? null));
  expect(anomalies).toEqual([
    {
      kind: 'HOLE',
      leaf: 0,
      position: 'log-1/threat.samples/0/1',
      submission: someAuditEvent(1).data.submission,
    },
  ]);
});

test('after a restart the chain goes on: what is right is no anomaly, what is wrong is one', async () => {
  const store = new MemoryLedgerStore();
  const many = someAuditRecords(700);
  await grow(store, many.slice(0, 650));
  expect((await grow(store, many.slice(0, 690))).anomalies).toEqual([]);
  const holed = [...many.slice(0, 690), ...many.slice(691)];
  expect((await grow(store, holed)).anomalies).toMatchObject([{ kind: 'HOLE', leaf: 690 }]);
});

test('after a restart behind leaves that are no events, the next event is believed', async () => {
  const store = new MemoryLedgerStore();
  const records = logOf(
    ...VALUES.slice(0, 3),
    ...Array.from({ length: 600 }, (_, nth) => Buffer.from(`no event ${nth}`)),
    VALUES[3] ?? null,
  );
  await grow(store, records.slice(0, 603));
  expect((await grow(store, records)).anomalies).toEqual([]);
});

test('growing anew after a fault finds nothing twice', async () => {
  const inner = new MemoryLedgerStore();
  const found: AuditAnomaly[] = [];
  const watch = new LeafWatch({
    log: 'log-1',
    of: auditPartition(),
    regions: new RecentRegions(10),
    onAnomaly: (anomaly) => {
      found.push(anomaly);
    },
  });
  const records = logOf(...VALUES.toSpliced(3, 1));
  const terms = {
    store: inner,
    signer: await signerOf(),
    kept: new MemoryLedgerStore(),
    watch,
    intervalMs: 0,
    now: () => 0,
    until: 'end',
    signal: new AbortController().signal,
  } as const;
  for (let tries = 0; tries < 3; tries += 1) {
    const store = {
      read: inner.read.bind(inner),
      create: inner.create.bind(inner),
      publish: () => Promise.reject(new Error('away')),
    };
    await expect(
      growLedger({ ...terms, store, source: new MemoryLedgerSource(records) }),
    ).rejects.toThrow('away');
  }
  await growLedger({ ...terms, source: new MemoryLedgerSource(records) });
  expect(found).toMatchObject([{ kind: 'HOLE' }]);
});
