import { SITE_REPAIR_ORDERED, controlEventIn } from '@residency/contracts';
import type { LogEntry, LogRecord } from '@residency/contracts';
import { RepairableCopies } from '@residency/reconciliation';
import type { RepairMode } from '@residency/reconciliation';
import { createLogger, createMetrics } from '@residency/telemetry';
import { expect, it } from 'vitest';
import { RepairReporter } from '../src/repair-reporter.ts';

/** Lines and metrics of a reporter that found a copy missing `times` times. */
async function reported(mode: RepairMode, times: number) {
  const lines: string[] = [];
  const metrics = createMetrics({ service: 'reconciler', version: '0', now: () => 0 });
  const control: LogRecord[] = [];
  const reporter = new RepairReporter({
    mode,
    logs: () => ({
      control: async function* read() {
        yield* control;
      },
      // oxlint-disable-next-line eslint/no-empty-function -- no event
      custody: async function* read() {},
      append: async (entries: readonly LogEntry[]) => {
        for (const { record } of entries)
          control.push({ ...record, headers: record.headers ?? [] } as unknown as LogRecord);
      },
    }),
    logger: createLogger({
      level: 'info',
      destination: {
        write: (line: string) => {
          lines.push(line);
        },
      },
    }),
    metrics: metrics.reconciling(['zrh-1', 'zrh-2']),
  });
  const policies = { regions: new Map([['zurich', new Set(['zrh-1', 'zrh-2'])]]) };
  const copies = new RepairableCopies();
  const position = 'log-1/threat.samples/0/7';
  copies.add({ code: 'OBJECT_MISSING', site: 'zrh-2', position, message: '' });
  for (let time = 0; time < times; time += 1) await reporter.found(copies, policies);
  const { body: text } = await metrics.render();
  await reporter.found(new RepairableCopies(), policies);
  const events = control.map((record) => controlEventIn(record));
  return { lines, text, after: (await metrics.render()).body, events };
}

it('names the command once, and shows what is proposed until it is gone', async () => {
  const { lines, text, after, events } = await reported('propose', 3);
  expect(lines).toEqual([expect.stringContaining('residency site repair SITE')]);
  expect(lines[0]).toContain('zrh-2');
  expect(text).toContain('residency_repairs_proposed{site="zrh-2"} 1');
  expect(after).toContain('residency_repairs_proposed{site="zrh-2"} 0');
  expect(events).toEqual([]);
});

it('orders once, under a name of its own, and counts it', async () => {
  const { lines, text, events } = await reported('auto', 3);
  expect(lines).toEqual([
    expect.stringContaining('was ordered'),
    expect.stringContaining('is ordered already'),
  ]);
  expect(text).toContain('residency_repairs_ordered_total{site="zrh-2"} 1');
  expect(text).toContain('residency_repairs_proposed{site="zrh-2"} 0');
  expect(events).toEqual([
    {
      type: SITE_REPAIR_ORDERED,
      principal: 'reconciliation',
      data: { act: expect.stringMatching(/^[0-9a-f-]{36}$/), region: 'zurich', site: 'zrh-2' },
    },
  ]);
});
