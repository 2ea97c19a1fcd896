import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { openSqliteLog } from '@residency/adapter-sqlite';
import type { SqliteLog } from '@residency/adapter-sqlite';
import { CodedError, hasCode } from '@residency/coded-error';
import type { Batch, BatchResult } from '@residency/routing';
import type { DataDirectory } from '@residency/standalone';
import { afterAll, describe, expect, test } from 'vitest';
import { DataCopies, reconcileOpening, routeAll, withData } from '../proofs/data-copies.ts';
import { guilty, judgeDataDirectory } from '../proofs/judgement.ts';
import { readLog } from '../proofs/on-disk.ts';
import { Traffic, trafficConsents } from '../proofs/traffic.ts';
import { BATCH_RECORDS, Recorder, routeAround } from './ports.ts';
import type { Around, PortCall } from './ports.ts';

// The nine records of this seed, in three batches, cover every outcome, in both regions.
const traffic = new Traffic(93, 9, 4_096);
const copies = await DataCopies.make([...trafficConsents(), ...traffic.entries()]);
afterAll(() => copies.remove());

const { calls, outcomes } = await onCopy(async (data) => {
  const recorder = new Recorder();
  await routeAround(data, recorder);
  await everythingIsRight(data);
  return {
    calls: recorder.calls,
    outcomes: readLog(data.path).audit.map(({ outcome }) => outcome),
  };
});

test('the traffic covers every outcome and every port', () => {
  expect(new Set(calls.map(({ port }) => port))).toEqual(
    new Set([
      'consent view',
      'policy view',
      'seal',
      'audit log',
      'head zrh-2',
      'create zrh-1',
      'create zrh-2',
      'create mow-1',
      'flush zrh-1',
      'flush zrh-2',
      'flush mow-1',
      'settle',
    ]),
  );
  expect(new Set(outcomes)).toEqual(new Set(['stored', 'duplicate', 'refused', 'quarantined']));
});

describe('one port call fails, and routing continues correctly', () => {
  // Reading and sealing have no effect that could persist.
  const cases = calls
    .filter(({ port }) => port !== 'settle')
    .flatMap((call) =>
      (/^(create|flush)/.test(call.port)
        ? (['failed', 'failed but persisted'] as const)
        : (['failed'] as const)
      ).map((kind) => ({ ...call, kind })),
    );

  test.each(cases)('$port $nth $kind', async ({ kind, ...call }) => {
    await onCopy(async (data) => {
      const fault = new Fault(call, kind);
      // A later site may be owed its copy, so nothing waits for it.
      const code = call.port.endsWith(' zrh-2') ? undefined : 'INJECTED';
      expect((await routeAround(data, fault))?.error.code).toBe(code);
      expect(fault.struck).toBe(1);
      await routeAll(data);
      await everythingIsRight(data);
    });
  });

  test.each(calls.filter(({ port }) => port === 'settle'))('$port $nth failed', async (call) => {
    await onCopy(async (data) => {
      const settling = new SettleFault(call, async () => lockedBySomebodyElse(data.path));
      await withLog(data.path, { busyTimeoutMs: 20 }, async (log) => {
        await expect(routeAround({ ...data, log }, settling)).rejects.toSatisfy((error) =>
          hasCode(error, 'LOG_BUSY'),
        );
      });
      settling.end();
      expect(readLog(data.path).settled).toBe(call.nth === 0 ? null : call.nth * BATCH_RECORDS - 1);
      await routeAll(data);
      await everythingIsRight(data);
    });
  });

  test.each(calls.filter(({ port }) => port === 'settle'))(
    '$port $nth failed but persisted',
    async (call) => {
      await onCopy(async (data) => {
        const settling = new SettleFault(call, async (result) => {
          await withLog(data.path, {}, (log) => settleFirst(log, result));
          return () => undefined;
        });
        // The log recovers by itself: it reads the committed position again and continues.
        expect(await routeAround(data, settling)).toBeUndefined();
        expect(settling.struck).toBe(1);
        await everythingIsRight(data);
      });
    },
  );
});

describe('the process is killed at a port call, and the next one continues', () => {
  // The tests above break every call. A process is more expensive: it dies before the first call of
  // each port, and after the last.
  const first = new Map(calls.toReversed().map((call) => [call.port, { ...call, when: 'before' }]));
  const last = new Map(calls.map((call) => [call.port, { ...call, when: 'after' }]));

  test.each([...first.values(), ...last.values()])(
    'SIGKILL $when $port $nth',
    async ({ port, nth, when }) => {
      await copies.each(async (directory) => {
        const script = fileURLToPath(new URL('crash-router.ts', import.meta.url));
        const child = spawn(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', script, directory, port, String(nth), when],
          { stdio: ['ignore', 'inherit', 'inherit'] },
        );
        expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
        await withData(directory, async (data) => {
          await routeAll(data);
          await everythingIsRight(data);
        });
      });
    },
  );
});

async function onCopy<T>(work: (data: DataDirectory) => Promise<T>): Promise<T> {
  return await copies.each((directory) => withData(directory, work));
}

async function everythingIsRight(data: DataDirectory): Promise<void> {
  const judgement = await judgeDataDirectory(data.path, (row) => traffic.expectation(row));
  expect(guilty(judgement)).toEqual([]);
  expect(judgement.records).toBe(traffic.planned.length);
  const { differences, inFlight, opened } = await reconcileOpening(data);
  expect(differences.list).toEqual([]);
  expect([inFlight, opened]).toEqual([0, judgement.objects]);
}

/** Breaks one call. */
class Fault implements Around {
  struck = 0;
  readonly #at: PortCall;
  readonly #kind: 'failed' | 'failed but persisted';

  constructor(at: PortCall, kind: 'failed' | 'failed but persisted') {
    this.#at = at;
    this.#kind = kind;
  }

  async call<T>({ port, nth }: PortCall, work: () => Promise<T>): Promise<T> {
    if (port !== this.#at.port || nth !== this.#at.nth) return await work();
    this.struck += 1;
    if (this.#kind === 'failed but persisted') await work();
    throw new CodedError({ code: 'INJECTED', message: 'Injected.', remedy: 'retry' });
  }

  async beforeSettle(): Promise<void> {}
  async afterSettle(): Promise<void> {}
}

/** Runs something just before one settlement; `end` undoes it. */
class SettleFault implements Around {
  struck = 0;
  end: () => void = () => undefined;
  readonly #at: PortCall;
  readonly #strike: (result: BatchResult) => Promise<() => void>;

  constructor(at: PortCall, strike: (result: BatchResult) => Promise<() => void>) {
    this.#at = at;
    this.#strike = strike;
  }

  async call<T>(_: PortCall, work: () => Promise<T>): Promise<T> {
    return await work();
  }

  async beforeSettle({ nth }: PortCall, _: Batch, result: BatchResult): Promise<void> {
    if (nth !== this.#at.nth) return;
    this.struck += 1;
    this.end = await this.#strike(result);
  }

  async afterSettle(): Promise<void> {}
}

function lockedBySomebodyElse(directory: string): () => void {
  const db = new DatabaseSync(join(directory, 'log.db'));
  db.exec('BEGIN IMMEDIATE');
  return () => {
    db.close();
  };
}

/**
 * The settlement is applied, but its sender does not learn of it. The sender's retry then finds its
 * own progress.
 */
async function settleFirst(log: SqliteLog, result: BatchResult): Promise<void> {
  const stop = new AbortController();
  let handed = false;
  await log.submissionLog({ maxBatchRecords: BATCH_RECORDS }).consume(
    async () => {
      if (handed) stop.abort();
      const settled = handed ? { settlements: [] } : result;
      handed = true;
      return settled;
    },
    { until: 'end', signal: stop.signal },
  );
}

async function withLog<T>(
  directory: string,
  options: { readonly busyTimeoutMs?: number },
  work: (log: SqliteLog) => Promise<T>,
): Promise<T> {
  const log = await openSqliteLog({ file: join(directory, 'log.db'), now: Date.now, ...options });
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}
