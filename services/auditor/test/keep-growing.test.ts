import { openSignerKey, makeKey } from '@residency/ledger';
import { RecentRegions } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import {
  FaultyLedgerStore,
  MemoryAuditSource,
  MemoryLedgerStore,
  eventually,
  someAuditRecords,
} from '@residency/testkit';
import { createLogger, createMetrics } from '@residency/telemetry';
import { expect, test } from 'vitest';
import { keepGrowing } from '../src/index.ts';
import type { GrowingTerms } from '../src/index.ts';

const RECORDS = someAuditRecords(300);

async function terms(
  store: LedgerStore,
  records = RECORDS,
): Promise<{
  readonly lines: string[];
  readonly stop: AbortController;
  readonly told: unknown[];
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly growing: GrowingTerms;
}> {
  const lines: string[] = [];
  const told: unknown[] = [];
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
    source: new MemoryAuditSource(records),
    store,
    signer,
    regions: new RecentRegions(10),
    intervalMs: 0,
    now: () => performance.now(),
    signal: stop.signal,
    logger,
    metrics: metrics.ledger(),
    waits: (error: unknown) => {
      told.push(error);
    },
  };
  return { lines, stop, told, metrics, growing };
}

test('a store that comes and goes is waited for, named, and forgotten once it is back', async () => {
  const store = new FaultyLedgerStore(new MemoryLedgerStore(), ({ nth }) =>
    [1, 2, 9].includes(nth) ? 'fail-but-persist' : 'pass',
  );
  const { stop, told, metrics, growing, lines } = await terms(store);
  const running = keepGrowing(growing);
  await eventually(async () =>
    /residency_ledger_size\{partition="0"\} 300\n/.test((await metrics.render()).body)
      ? true
      : undefined,
  );
  await eventually(async () => (told.at(-1) === undefined ? true : undefined));
  stop.abort();
  await running;
  expect(told).toContainEqual(expect.objectContaining({ code: 'LEDGER_UNREACHABLE' }));
  const { body } = await metrics.render();
  expect(body).toContain('residency_ledger_pending{partition="0"} 0\n');
  expect(body).toMatch(/residency_ledger_checkpoint_age_seconds\{partition="0"\} \d/);
  expect(body).not.toMatch(/residency_ledger_blocked\{/);
  expect(lines).toEqual([]);
});

test('a finding is counted by its kind and told once, with its position', async () => {
  const { stop, metrics, growing, lines } = await terms(
    new MemoryLedgerStore(),
    RECORDS.toSpliced(7, 1),
  );
  const running = keepGrowing(growing);
  await eventually(async () =>
    /residency_ledger_size\{partition="0"\} 299\n/.test((await metrics.render()).body)
      ? true
      : undefined,
  );
  stop.abort();
  await running;
  const { body } = await metrics.render();
  expect(body).toContain('residency_audit_findings_total{kind="HOLE"} 1\n');
  expect(body).toContain('residency_audit_findings_total{kind="ALSO_IN"} 0\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'warn', code: 'HOLE', position: 'log-1/threat.samples/0/8' },
  ]);
});

test('what needs a person ends it', async () => {
  const store = new MemoryLedgerStore();
  await store.publish('0/checkpoint', Buffer.from('x'), undefined);
  const { growing } = await terms(store);
  await expect(keepGrowing(growing)).rejects.toMatchObject({
    code: 'INVALID_NOTE',
    remedy: 'stop',
  });
});
