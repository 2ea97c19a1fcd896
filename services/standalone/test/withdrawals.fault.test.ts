import { join } from 'node:path';
import { openSqliteLog } from '@residency/adapter-sqlite';
import type { SqliteLog } from '@residency/adapter-sqlite';
import { CodedError } from '@residency/coded-error';
import {
  ERASURE_ORDERED,
  INITIAL_CONTROL,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  controlEventIn,
} from '@residency/contracts';
import type { Erasures } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { followWithdrawals } from '../src/follow-withdrawals.ts';
import { Withdrawals } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const busy = () => new CodedError({ code: 'LOG_BUSY', message: 'busy', remedy: 'retry' });

async function someLog(): Promise<SqliteLog> {
  const log = await openSqliteLog({ file: join(await temporaryFolder(), 'log.db'), now: Date.now });
  onTestFinished(() => log.close());
  return log;
}

async function withdraw(log: SqliteLog, ...consentIds: readonly string[]): Promise<void> {
  await log.append(
    consentIds.map((consentId, index) =>
      consentEntry(
        consentCloudEvent({ kind: 'withdrawn', consentId }, { id: `${index}`, source: 'urn:test' }),
        index.toString(16).padStart(32, '0'),
      ),
    ),
  );
}

/** The consents of each order that the control log has. */
async function ordered(log: SqliteLog): Promise<readonly (readonly string[])[]> {
  const orders: (readonly string[])[] = [];
  for await (const record of log.read(TOPICS.control)) {
    const event = controlEventIn(record);
    if (event?.type === ERASURE_ORDERED)
      orders.push((event.data.consents ?? []).map(({ consentId }) => consentId));
  }
  return orders;
}

it('orders once for each withdrawal, also in another process', async () => {
  const log = await someLog();
  await withdraw(log, 'consent-0001', 'consent-0002');
  const withdrawals = new Withdrawals(log);
  await withdrawals.order();
  await withdrawals.order();
  await new Withdrawals(log).order();
  expect(await ordered(log)).toEqual([['consent-0001', 'consent-0002']]);
  await withdraw(log, 'consent-0003');
  await withdrawals.order();
  expect(await ordered(log)).toEqual([['consent-0001', 'consent-0002'], ['consent-0003']]);
});

it('reads the control log by the view that it is given, and no other way', async () => {
  const log = await someLog();
  await withdraw(log, 'consent-0001');
  let reads = 0;
  const erasures: Erasures = {
    orders: [
      {
        act: 'an act',
        at: 0,
        reason: 'test',
        submissions: [],
        consents: [{ consentId: 'consent-0001', before: '9999-01-01T00:00:00.000Z' }],
      },
    ],
    holds: [],
  };
  const control = {
    read: async () => {
      reads += 1;
      return { ...INITIAL_CONTROL, erasures };
    },
  };
  await new Withdrawals(log, control).order();
  expect(reads).toBe(1);
  expect(await ordered(log)).toEqual([]);
});

it('reads a long log in batches', async () => {
  const log = await someLog();
  await withdraw(log, ...Array.from({ length: 1_100 }, (_, index) => `consent-${10_000 + index}`));
  await new Withdrawals(log).order();
  expect((await ordered(log)).map(({ length }) => length)).toEqual([500, 500, 100]);
});

it.each([
  ['failed', false],
  ['failed but persisted', true],
])('an append that %s is repeated, and orders once', async (_, persists) => {
  const log = await someLog();
  await withdraw(log, 'consent-0001');
  const append = log.append.bind(log);
  let calls = 0;
  log.append = async (entries) => {
    calls += 1;
    const positions = calls > 1 || persists ? await append(entries) : [];
    if (calls === 1) throw busy();
    return positions;
  };
  const stop = new AbortController();
  const waited: unknown[] = [];
  await followWithdrawals(
    new Withdrawals(log),
    (error) => {
      waited.push(error);
      if (error === undefined) stop.abort();
    },
    stop.signal,
  );
  expect(waited).toEqual([expect.objectContaining({ code: 'LOG_BUSY' }), undefined]);
  expect(calls).toBe(persists ? 1 : 2);
  expect(await ordered(log)).toEqual([['consent-0001']]);
});

it('a failure that needs a person ends the process', async () => {
  const log = await someLog();
  await withdraw(log, 'consent-0001');
  log.append = () =>
    Promise.reject(new CodedError({ code: 'LOG_CORRUPT', message: 'corrupt', remedy: 'stop' }));
  await expect(
    followWithdrawals(new Withdrawals(log), () => undefined, new AbortController().signal),
  ).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
});
