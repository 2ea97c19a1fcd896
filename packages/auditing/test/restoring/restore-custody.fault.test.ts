import { custodyTopic } from '@residency/contracts';
import { openSignerKey } from '@residency/ledger';
import {
  MemoryLedgerSource,
  MemoryLedgerStore,
  auditRecord,
  someCustodyEvent,
  someCustodyEvents,
} from '@residency/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  LeafWatch,
  LedgerEntries,
  growLedger,
  leafOf,
  ledgerOrigin,
  ledgerPath,
  planCustodyRestore,
  restoreCustodyLog,
} from '../../src/index.ts';
import type { AuditRecord, CustodyRestorer } from '../../src/index.ts';
import { SECRET } from '../growing/some-ledger.ts';
import type { Fault } from './memory-restorer.ts';

const ZURICH = { topic: custodyTopic('zurich'), partition: 0 };
const EVENTS = someCustodyEvents(2_500);
const ORIGIN = ledgerOrigin('residency-router', 'log-1', ZURICH);

/** A custody log in memory; each fault is one append's. */
class MemoryCustody implements CustodyRestorer {
  readonly log = 'log-1';
  readonly of = ZURICH;
  readonly values: (Buffer | null)[];
  appends = 0;
  readonly #faults: Fault[];

  constructor(values: readonly (Buffer | null)[], faults: readonly Fault[] = []) {
    this.values = [...values];
    this.#faults = [...faults];
  }

  async *records(): AsyncGenerator<readonly AuditRecord[]> {
    yield await Promise.resolve(this.values.map((value, nth) => auditRecord(value, nth)));
  }

  restore(values: readonly Buffer[]): Promise<void> {
    this.appends += 1;
    const fault = this.#faults.shift() ?? 'ok';
    if (fault !== 'failed') this.values.push(...values);
    return fault === 'ok' ? Promise.resolve() : Promise.reject(new Error(fault));
  }
}

async function ledgerOf(values: readonly (Buffer | null)[]): Promise<MemoryLedgerStore> {
  const store = new MemoryLedgerStore();
  await growLedger({
    source: new MemoryLedgerSource(
      values.map((value, nth) => auditRecord(value, nth)),
      { topic: ZURICH.topic },
    ),
    store,
    kept: new MemoryLedgerStore(),
    signer: await openSignerKey(SECRET, ORIGIN),
    watch: new LeafWatch({ log: 'log-1', of: ZURICH, onAnomaly: () => undefined }),
    intervalMs: 0,
    now: () => 0,
    until: 'end',
    signal: new AbortController().signal,
  });
  return store;
}

async function entriesOf(store: MemoryLedgerStore): Promise<LedgerEntries> {
  const { key } = await openSignerKey(SECRET, ORIGIN);
  return await LedgerEntries.open({ place: { store, of: ZURICH, origin: ORIGIN }, keys: [key] });
}

test('a custody log is whole after any stop, with an append that failed or that failed and was done', async () => {
  const entries = await entriesOf(await ledgerOf(EVENTS));
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 2_500 }),
      fc.array(fc.constantFrom('failed', 'persisted', 'ok' as const), { maxLength: 6 }),
      async (left, faults) => {
        const log = new MemoryCustody(EVENTS.slice(0, left), faults);
        for (let attempt = 0; attempt <= faults.length; attempt += 1)
          await restoreCustodyLog(entries, log).catch(() => undefined);
        expect(await planCustodyRestore(entries, log)).toEqual({
          of: ZURICH,
          entries: 2_500,
          records: 2_500,
          missing: 0,
        });
        expect(log.values).toEqual(EVENTS);
      },
    ),
    { numRuns: 15 },
  );
});

test('what was never an event comes back too, so that the ledger has the same leaves', async () => {
  const odd = [...EVENTS.slice(0, 3), null, Buffer.alloc(70_000, 1), Buffer.from('no event')];
  const log = new MemoryCustody([]);
  await restoreCustodyLog(await entriesOf(await ledgerOf(odd)), log);
  const leaves = (values: readonly (Buffer | null)[]): Buffer[] =>
    values.map((value) => Buffer.from(leafOf(value)));
  expect(leaves(log.values)).toEqual(leaves(odd));
});

test.each([
  ['recorded anew', someCustodyEvent(0, { log: 'log-9' })],
  ['altered', Buffer.from('{}')],
])('nothing is appended to a log that was %s', async (_, first) => {
  const log = new MemoryCustody([first]);
  await expect(
    restoreCustodyLog(await entriesOf(await ledgerOf(EVENTS.slice(0, 9))), log),
  ).rejects.toMatchObject({ code: 'LOG_DIFFERS', remedy: 'stop' });
  expect(log.appends).toBe(0);
});

test('entries that were decided and that nobody signed are not used', async () => {
  const store = await ledgerOf(EVENTS.slice(0, 9));
  const text = `${ORIGIN}\n12\n${Buffer.alloc(32, 5).toString('base64')}\n`;
  await store.create(ledgerPath(ZURICH, 'next/009'), Buffer.from(text));
  const entries = await entriesOf(store);
  expect(entries).toMatchObject({ size: 9, unsigned: 3 });
  const log = new MemoryCustody([]);
  await restoreCustodyLog(entries, log);
  expect(log.values).toEqual(EVENTS.slice(0, 9));
});
