import { openSignerKey, makeKey } from '@residency/ledger';
import { RecentRegions } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import {
  FaultyLedgerStore,
  MemoryLedgerSource,
  MemoryLedgerStore,
  eventually,
  someAuditRecords,
} from '@residency/testkit';
import { createLogger, createMetrics } from '@residency/telemetry';
import { expect, test } from 'vitest';
import { keepGrowing } from '../src/index.ts';
import type { KeepGrowingDeps } from '../src/index.ts';

const RECORDS = someAuditRecords(300);

async function keepGrowingDeps(
  store: LedgerStore,
  records = RECORDS,
): Promise<{
  readonly lines: string[];
  readonly stop: AbortController;
  readonly reported: unknown[];
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly growing: KeepGrowingDeps;
}> {
  const lines: string[] = [];
  const reported: unknown[] = [];
  const stop = new AbortController();
  const metrics = createMetrics({
    service: 'auditor',
    version: 'test',
    now: () => performance.now(),
  });
  const logger = createLogger({
    level: 'info',
    destination: {
      write: (line: string) => {
        lines.push(line);
      },
    },
  });
  const signer = await openSignerKey((await makeKey('some-key', new Uint8Array(32), 1)).signerKey);
  const growing = {
    source: new MemoryLedgerSource(records),
    store,
    kept: new MemoryLedgerStore(),
    signer,
    regions: new RecentRegions(10),
    intervalMs: 0,
    now: () => performance.now(),
    signal: stop.signal,
    logger,
    metrics: metrics.ledger(),
    waits: (error: unknown) => {
      reported.push(error);
    },
  };
  return { lines, stop, reported, metrics, growing };
}

test('an unreachable store is named and waited for, and no longer named once it is back', async () => {
  const store = new FaultyLedgerStore(new MemoryLedgerStore(), ({ nth }) =>
    [1, 2, 9].includes(nth) ? 'fail-but-persist' : 'pass',
  );
  const { stop, reported, metrics, growing, lines } = await keepGrowingDeps(store);
  const running = keepGrowing(growing);
  await eventually(async () =>
    /residency_ledger_size\{topic="residency.audit",partition="0"\} 300\n/.test(
      (await metrics.render()).body,
    )
      ? true
      : undefined,
  );
  await eventually(async () => (reported.at(-1) === undefined ? true : undefined));
  stop.abort();
  await running;
  expect(reported).toContainEqual(expect.objectContaining({ code: 'LEDGER_UNREACHABLE' }));
  const { body } = await metrics.render();
  expect(body).toContain('residency_ledger_pending{topic="residency.audit",partition="0"} 0\n');
  expect(body).toMatch(
    /residency_ledger_checkpoint_age_seconds\{topic="residency.audit",partition="0"\} \d/,
  );
  expect(body).not.toMatch(/residency_ledger_blocked\{/);
  expect(lines).toEqual([]);
});

test('a finding is counted by its kind and logged once, with its position', async () => {
  const { stop, metrics, growing, lines } = await keepGrowingDeps(
    new MemoryLedgerStore(),
    RECORDS.toSpliced(7, 1),
  );
  const running = keepGrowing(growing);
  await eventually(async () =>
    /residency_ledger_size\{topic="residency.audit",partition="0"\} 299\n/.test(
      (await metrics.render()).body,
    )
      ? true
      : undefined,
  );
  stop.abort();
  await running;
  const { body } = await metrics.render();
  expect(body).toContain('residency_audit_findings_total{topic="residency.audit",kind="HOLE"} 1\n');
  expect(body).toContain(
    'residency_audit_findings_total{topic="residency.audit",kind="ALSO_IN"} 0\n',
  );
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'warn', code: 'HOLE', position: 'log-1/threat.samples/0/8' },
  ]);
});

test('an error that needs a person ends it', async () => {
  const store = new MemoryLedgerStore();
  await store.publish('0/checkpoint', Buffer.from('x'), undefined);
  const { growing } = await keepGrowingDeps(store);
  await expect(keepGrowing(growing)).rejects.toMatchObject({
    code: 'INVALID_NOTE',
    remedy: 'stop',
  });
});
