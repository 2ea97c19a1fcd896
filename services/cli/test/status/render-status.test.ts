import { PassThrough } from 'node:stream';
import { defined } from '@residency/defined';
import type { IntakeFacts, Observed, Snapshot } from '@residency/observation';
import { describe, expect, it } from 'vitest';
import type { MetricSample } from '../../src/probing/prometheus-text.ts';
import type { Scrape } from '../../src/probing/scrape.ts';
import { renderStatus } from '../../src/status/render-status.ts';
import { statusJson } from '../../src/status/status-json.ts';
import { statusReport } from '../../src/status/status-report.ts';
import type { Reading, StatusReport } from '../../src/status/status-report.ts';
import { Output } from '../../src/terminal/output.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const AWAY = { unknown: { code: 'KAFKA_UNREACHABLE', message: 'no broker' } };
const SILENT = { unknown: { code: 'SERVICE_UNREACHABLE', message: 'no answer' } };

const partition = { partition: 0, start: 0n, end: 100n, next: 100n, settledUpTo: 100n };
const intake = (over: Partial<IntakeFacts> = {}): { readonly known: IntakeFacts } => ({
  known: { at: NOW, partitions: [partition], transactions: [], ...over },
});
const system = (over: Partial<Snapshot> = {}): Snapshot => ({
  control: { known: { mode: 'running', logLevels: {} } },
  topics: { known: [{ topic: 'threat.samples', state: 'same' }] },
  intake: intake(),
  appendTimes: { known: [] },
  consents: { known: { at: NOW, watermark: NOW - 300, halted: false } },
  policy: { known: { at: NOW, watermark: NOW - 200, versions: [] } },
  ...over,
});
const scraped = (
  samples: readonly MetricSample[],
  { at = 1_000, waits = [] }: { readonly at?: number; readonly waits?: readonly string[] } = {},
): Observed<Scrape> => ({
  known: {
    readiness: {
      ready: waits.length === 0,
      failed: waits.map((code) => ({ name: 'routing', detail: `waits: ${code}` })),
    },
    samples: [
      { name: 'residency_build_info', labels: { service: 'router', version: '0.1.0' }, value: 1 },
      ...samples,
    ],
    at,
  },
});
const reading = (
  snapshot: Snapshot | undefined,
  scrapes: Record<string, Observed<Scrape>> = {},
): Reading => ({
  at: NOW,
  scrapes: new Map(Object.entries(scrapes)),
  ...defined({ snapshot }),
});

function report(
  before: Snapshot,
  after: Snapshot,
  scrapes: Record<string, Observed<Scrape>> = {},
): StatusReport {
  return statusReport(reading(before, scrapes), reading(after, scrapes));
}

const screen = (of: StatusReport): string => renderStatus('log cli-1', of).join('\n');

const fine = (over: Partial<Snapshot> = {}): Snapshot => {
  const { policy: _, ...rest } = system(over);
  return { ...rest, ...(over.policy === undefined ? {} : { policy: over.policy }) };
};

describe('what is wrong', () => {
  it('is what the assessment says, and of services what they say', () => {
    const { wrong, blind } = report(
      fine(),
      fine({ consents: { known: { at: NOW, watermark: NOW - 31_000, halted: false } } }),
      {
        'http://a:1': scraped([], { waits: ['SITE_UNREACHABLE'] }),
        'http://b:1': SILENT,
        'http://c:1': scraped([]),
      },
    );
    expect(wrong.map(({ check, state }) => `${check} ${state}`)).toEqual([
      'consent view wrong',
      'service a:1 wrong',
      'service b:1 unknown',
    ]);
    expect(blind).toBe(false);
    expect(report(fine(), fine()).wrong).toEqual([]);
  });

  it('is on the screen and in the JSON as sentences', () => {
    const of = report(fine(), fine({ topics: AWAY }), { 'http://b:1': SILENT });
    expect(screen(of)).toContain('  ! logs: no broker\n  ! service b:1: no answer\n');
    expect(statusJson('log cli-1', of)).toMatchObject({
      wrong: ['logs: no broker', 'service b:1: no answer'],
    });
  });

  it('nothing that could be asked', () => {
    const of = report(
      system(),
      { control: AWAY, intake: AWAY, consents: AWAY, policy: AWAY },
      { 'http://b:1': SILENT },
    );
    expect([of.blind, screen(of)]).toEqual([
      true,
      expect.stringContaining('Nothing could be asked'),
    ]);
  });
});

it('the JSON keeps its shape', () => {
  expect(
    statusJson(
      'log cli-1',
      report(
        fine(),
        fine({
          control: AWAY,
          intake: intake({
            partitions: [
              { ...partition, next: 95n, settledUpTo: 95n, oldestAt: NOW - 1_000 },
              { ...partition, partition: 1, next: 101n, settledUpTo: 101n },
            ],
            transactions: [{ topic: 'threat.samples', partition: 0, offset: 97n, since: NOW }],
          }),
          topics: {
            known: [{ topic: 'threat.samples', state: 'replaced', found: 'expected A' }],
          },
          appendTimes: { known: [{ topic: 'threat.samples', partition: 0, aheadMs: 7 }] },
          policy: { known: { at: NOW, watermark: NOW - 200, versions: [] } },
        }),
      ),
    ),
  ).toMatchObject({
    at: '2026-11-25T12:00:00.000Z',
    of: 'log cli-1',
    control: { failure: 'KAFKA_UNREACHABLE' },
    intake: {
      clocks: [{ topic: 'threat.samples', partition: 0, aheadMs: 7 }],
      unsettled: 5,
      lost: [1],
      worst: { partition: 0, unsettled: 5 },
      replaced: [{ topic: 'threat.samples', found: 'expected A' }],
      undecided: [
        { topic: 'threat.samples', partition: 0, offset: '97', since: '2026-11-25T12:00:00.000Z' },
      ],
      oldest: '2026-11-25T11:59:59.000Z',
    },
    consents: { behindMs: 300, halted: false },
    policy: { behindMs: 200, valid: 0 },
  });
});

describe('the verdict', () => {
  it('never takes what is not known for just now', () => {
    const hidden = fine({
      intake: intake({ partitions: [{ ...partition, next: 50n, settledUpTo: 50n }] }),
    });
    expect(screen(report(hidden, hidden)).replaceAll(/\n(?! {2}!)/g, ' ')).toMatch(
      /Nothing is settled: 50 records wait, the oldest for a time that is not known/,
    );
    expect(screen(report(hidden, hidden))).toMatch(/unsettled 50, since when is not known/);
    const replaced = fine({
      topics: { known: [{ topic: 'threat.samples', state: 'replaced', found: 'x' }] },
    });
    expect(screen(report(replaced, replaced))).toMatch(
      /threat.samples: another topic than the one that was settled. Nothing is routed./,
    );
  });

  /** Two seconds after `fine`, 50 records wait, 30 of them in partition 1. */
  const waiting = (oldestMs: number, settled: bigint): Snapshot =>
    fine({
      intake: intake({
        at: NOW + 2_000,
        partitions: [
          {
            ...partition,
            end: settled + 20n,
            next: settled,
            settledUpTo: settled,
            oldestAt: NOW + 2_000 - oldestMs,
          },
          {
            ...partition,
            partition: 1,
            end: 30n,
            next: 0n,
            settledUpTo: 0n,
            oldestAt: NOW + 2_000,
          },
        ],
      }),
    });
  it.each<[string, Snapshot, Partial<Snapshot>, string]>([
    ['nothing waits', fine(), {}, 'Nothing waits.'],
    [
      'it flows',
      waiting(60_000, 120n),
      {},
      'Samples flow: 10/s are settled; 50 records wait, the oldest for 60 s.',
    ],
    [
      'it has just come',
      waiting(1_300, 100n),
      {},
      'Samples have just come: 50 records wait, the oldest for 1.3 s.',
    ],
    [
      'nobody routes',
      waiting(60_000, 100n),
      {},
      'Nothing is settled: 50 records wait, the oldest for 60 s. No router was asked',
    ],
    [
      'paused',
      waiting(60_000, 100n),
      {
        control: {
          known: {
            mode: 'paused',
            reason: 'why',
            since: NOW - 61_000,
            logLevels: {},
            services: {
              zurich: {
                number: 1,
                arbiter: 'zrh-2',
                out: new Map([['zrh-1', NOW]]),
                retired: new Set(),
                claims: new Map(),
              },
            },
          },
        },
      },
      'Nothing is settled: 50 records wait, the oldest for 60 s. See below.',
    ],
    [
      'draining',
      fine(),
      { control: { known: { mode: 'draining', reason: 'why', since: NOW, logLevels: {} } } },
      'Nothing waits. The intake refuses submissions: draining.',
    ],
    [
      'lost',
      fine({ intake: intake({ partitions: [{ ...partition, next: 101n, settledUpTo: 101n }] }) }),
      {},
      'Progress is lost',
    ],
    [
      'Kafka away',
      fine({ intake: AWAY }),
      {},
      'the intake log can not be read (KAFKA_UNREACHABLE)',
    ],
  ])('%s', (_, of, over, expected) => {
    expect(screen(report(fine(), { ...of, ...over })).replaceAll(/\n(?! {2}!)/g, ' ')).toContain(
      expected,
    );
  });
});

const histogram = (
  name: string,
  labels: MetricSample['labels'],
  counts: readonly [string, number][],
): MetricSample[] => [
  ...counts.map(([le, value]) => ({ name: `${name}_bucket`, labels: { ...labels, le }, value })),
  { name: `${name}_count`, labels, value: counts.at(-1)?.[1] ?? 0 },
];

/** A router that stored 20 samples in two seconds, and met a site that is away. */
function busy(seconds: number): Observed<Scrape> {
  const grown = seconds * 10;
  return scraped(
    [
      ...histogram('residency_stage_duration_seconds', { stage: 'store' }, [
        ['0.1', grown / 2],
        ['1', grown],
        ['+Inf', grown],
      ]),
      { name: 'residency_stage_in_flight', labels: { stage: 'store' }, value: 3 },
      {
        name: 'residency_stage_last_completed_timestamp_seconds',
        labels: { stage: 'store' },
        value: NOW / 1_000 - 4,
      },
      ...histogram(
        'residency_store_request_duration_seconds',
        { site: 'zrh-1', operation: 'put' },
        [
          ['0.1', grown],
          ['+Inf', grown],
        ],
      ),
      {
        name: 'residency_store_requests_total',
        labels: { site: 'zrh-1', operation: 'put', result: 'ok' },
        value: grown,
      },
      {
        name: 'residency_store_requests_total',
        labels: { site: 'zrh-1', operation: 'put', result: 'SITE_UNREACHABLE' },
        value: seconds,
      },
      {
        name: 'residency_submissions_total',
        labels: { outcome: 'stored', reason: '', region: 'zurich' },
        value: grown,
      },
      { name: 'residency_errors_total', labels: { code: 'SITE_UNREACHABLE' }, value: 7 },
      {
        name: 'residency_last_error_timestamp_seconds',
        labels: { code: 'SITE_UNREACHABLE' },
        value: NOW / 1_000 - 30,
      },
    ],
    { at: 1_000 + seconds * 1_000 },
  );
}

it('stages, sites, outcomes and errors stand on a screen of 100 columns', () => {
  const long = `http://${'a'.repeat(120)}:8080`;
  const of = statusReport(
    reading(system(), { 'http://r:1': busy(0), [long]: SILENT }),
    reading(system(), { 'http://r:1': busy(2), [long]: SILENT }),
  );
  const lines = renderStatus('log cli-1', of);
  expect(lines.every((line) => line.length <= 100)).toBe(true);
  expect(lines.length).toBeLessThanOrEqual(40);
  const text = lines.join('\n').replaceAll(/ {2,}/g, '  ');
  for (const row of [
    'outcomes  stored zurich 10/s',
    'router  0.1.0  yes',
    'store  10/s  100 ms  910 ms  3  4 s ago',
    'zrh-1  11/s  1/s  50 ms  95 ms  SITE_UNREACHABLE',
    'SITE_UNREACHABLE  router  30 s  7',
  ])
    expect(text).toContain(row);
});

it('many services stay on a screen, those that wait before the others', () => {
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [
      `http://r-${index}:1`,
      scraped([], index === 10 || index === 11 ? { waits: ['SITE_UNREACHABLE'] } : {}),
    ]),
  );
  const lines = renderStatus('log cli-1', report(fine(), fine(), many));
  expect(lines.length).toBeLessThanOrEqual(30);
  expect(lines.filter((line) => /^router +0\.1\.0 +no +SITE_UNREACHABLE/.test(line))).toHaveLength(
    2,
  );
  expect(lines).toContain('and 18 more, all ready');
  const all = Object.fromEntries(
    Object.keys(many).map((url): [string, Observed<Scrape>] => [url, SILENT]),
  );
  expect(renderStatus('log cli-1', report(fine(), fine(), all)).join('\n')).toMatch(
    / {2}! and 23 more\n[^]*and 18 more, some not ready$/,
  );
});

it('what others chose does not reach the terminal as it is', () => {
  const evil = '\u001b[2Jx';
  const of = report(
    system(),
    system({ control: { known: { mode: 'paused', reason: evil, since: NOW, logLevels: {} } } }),
    {
      'http://r:1': scraped([
        { name: 'residency_stage_in_flight', labels: { stage: evil }, value: 1 },
        { name: 'residency_store_requests_total', labels: { site: evil, result: evil }, value: 1 },
        {
          name: 'residency_last_error_timestamp_seconds',
          labels: { code: evil },
          value: NOW / 1_000,
        },
      ]),
    },
  );
  expect(screen(of)).not.toContain('\u001b');
});

it('a terminal is drawn over, anything else gets blocks with an empty line between', async () => {
  const drawn = async (isTTY: boolean): Promise<string> => {
    const stream = Object.assign(new PassThrough(), { isTTY });
    const output = new Output(stream, new PassThrough());
    await output.screen(['a', 'b'], true);
    await output.screen(['c'], false);
    stream.end();
    return Buffer.concat(await stream.toArray()).toString();
  };
  expect(await drawn(false)).toBe('a\nb\n\nc\n');
  expect(await drawn(true)).toBe(
    '\u001b[2J\u001b[Ha\u001b[K\nb\u001b[K\u001b[J\n\u001b[Hc\u001b[K\u001b[J\n',
  );
});
