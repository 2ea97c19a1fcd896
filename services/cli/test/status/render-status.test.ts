import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Output } from '../../src/output.ts';
import type { IntakeLook, SystemLook } from '../../src/status/look.ts';
import type { Sample } from '../../src/status/prometheus-text.ts';
import { renderStatus } from '../../src/status/render-status.ts';
import type { Scrape } from '../../src/status/scrape.ts';
import { statusReport } from '../../src/status/status-report.ts';
import type { Look, StatusReport } from '../../src/status/status-report.ts';
import type { Told } from '../../src/status/told.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');

const intake = (over: Partial<IntakeLook> = {}): IntakeLook => ({
  appended: 100n,
  settled: 100n,
  unsettled: 0n,
  lost: [],
  at: 1_000,
  ...over,
});
const system = (over: Partial<SystemLook> = {}): SystemLook => ({
  control: { told: { mode: 'running', logLevels: {} } },
  intake: { told: intake() },
  consents: { told: { behindMs: 300, halted: false } },
  policy: { told: { behindMs: 200, inForce: 'residency/1', valid: 1 } },
  ...over,
});
const scraped = (samples: readonly Sample[], over: Partial<Scrape> = {}): Told<Scrape> => ({
  told: {
    ready: true,
    waits: [],
    samples: [
      { name: 'residency_build_info', labels: { service: 'router', version: '0.1.0' }, value: 1 },
      ...samples,
    ],
    at: 1_000,
    ...over,
  },
});
const look = (of: SystemLook | undefined, scrapes: Record<string, Told<Scrape>> = {}): Look => ({
  at: NOW,
  scrapes: new Map(Object.entries(scrapes)),
  ...(of === undefined ? {} : { system: of }),
});

function report(
  before: SystemLook,
  after: SystemLook,
  scrapes: Record<string, Told<Scrape>> = {},
): StatusReport {
  return statusReport(look(before, scrapes), look(after, scrapes));
}

const screen = (of: StatusReport): string => renderStatus('log cli-1', of).join('\n');

describe('what is wrong', () => {
  it.each<[string, Partial<SystemLook>, readonly RegExp[]]>([
    ['nothing', {}, []],
    [
      'a draining',
      { control: { told: { mode: 'draining', reason: 'r', since: NOW, logLevels: {} } } },
      [],
    ],
    [
      'a pause',
      { control: { told: { mode: 'paused', reason: 'r', since: NOW, logLevels: {} } } },
      [/^routing is paused/],
    ],
    [
      'progress that is lost',
      { intake: { told: intake({ lost: [2] }) } },
      [/^progress is lost in partition 2/],
    ],
    [
      'a record that waits within the objective',
      { intake: { told: intake({ unsettled: 1n, oldestAt: NOW - 60_000 }) } },
      [],
    ],
    [
      'a record that waits longer',
      { intake: { told: intake({ unsettled: 1n, oldestAt: NOW - 61_000 }) } },
      [/^the first unsettled record has waited for 61 s/],
    ],
    ['a view 30 s behind', { consents: { told: { behindMs: 30_000 } } }, []],
    [
      'a view further behind',
      {
        consents: { told: { behindMs: 31_000 } },
        policy: { told: { behindMs: 45_000, inForce: 'p/1', valid: 1 } },
      },
      [/^the consent view is 31 s behind/, /^the policy log is 45 s behind/],
    ],
    [
      'a view that is halted',
      { consents: { told: { behindMs: 1, halted: true } } },
      [/^the consent view is halted/],
    ],
    ['no policy', { policy: { told: { behindMs: 1, valid: 0 } } }, [/^no policy version/]],
    [
      'Redis away',
      { consents: { failure: 'REDIS_UNREACHABLE' } },
      [/^the consent view can not be read: REDIS_UNREACHABLE/],
    ],
  ])('%s', (_, over, expected) => {
    const { wrong, blind } = report(system(), system(over));
    expect(wrong).toEqual(expected.map((pattern): unknown => expect.stringMatching(pattern)));
    expect(blind).toBe(false);
  });

  it('a service that is not ready, and one that does not answer', () => {
    const { wrong, blind } = report(system(), system(), {
      'http://a:1': scraped([], { ready: false, waits: ['SITE_UNREACHABLE'] }),
      'http://b:1': { failure: 'SERVICE_UNREACHABLE' },
      'http://c:1': scraped([]),
    });
    expect(wrong).toEqual([
      'router at http://a:1 is not ready: SITE_UNREACHABLE',
      'a service at http://b:1 is not ready: SERVICE_UNREACHABLE',
    ]);
    expect(blind).toBe(false);
  });

  it('nothing that could be asked', () => {
    const away = { failure: 'KAFKA_UNREACHABLE' };
    const of = report(
      system(),
      { control: away, intake: away, consents: away, policy: away },
      { 'http://b:1': { failure: 'SERVICE_UNREACHABLE' } },
    );
    expect([of.blind, screen(of)]).toEqual([
      true,
      expect.stringContaining('Nothing could be asked'),
    ]);
  });
});

describe('the verdict', () => {
  const waiting = (oldestMs: number, settled: bigint): SystemLook =>
    system({
      intake: {
        told: intake({
          appended: 150n,
          settled,
          unsettled: 50n,
          at: 3_000,
          oldestAt: NOW - oldestMs,
          worst: { partition: 1, unsettled: 30n },
        }),
      },
    });
  it.each<[string, SystemLook, Partial<SystemLook>, string]>([
    ['nothing waits', system(), {}, 'Nothing waits.'],
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
      { control: { told: { mode: 'paused', reason: 'why', since: NOW - 61_000, logLevels: {} } } },
      'Nothing is settled: 50 records wait, the oldest for 60 s. See below.',
    ],
    [
      'draining',
      system(),
      { control: { told: { mode: 'draining', reason: 'why', since: NOW, logLevels: {} } } },
      'Nothing waits. The intake refuses submissions: draining.',
    ],
    ['lost', system({ intake: { told: intake({ lost: [0] }) } }), {}, 'Progress is lost'],
    [
      'Kafka away',
      system({ intake: { failure: 'KAFKA_UNREACHABLE' } }),
      {},
      'the intake log can not be read (KAFKA_UNREACHABLE)',
    ],
  ])('%s', (_, of, over, expected) => {
    expect(screen(report(system(), { ...of, ...over })).replaceAll(/\n(?! {2}!)/g, ' ')).toContain(
      expected,
    );
  });
});

const histogram = (
  name: string,
  labels: Sample['labels'],
  counts: readonly [string, number][],
): Sample[] => [
  ...counts.map(([le, value]) => ({ name: `${name}_bucket`, labels: { ...labels, le }, value })),
  { name: `${name}_count`, labels, value: counts.at(-1)?.[1] ?? 0 },
];

/** A router that stored 20 samples in two seconds, and met a site that is away. */
function busy(seconds: number): Told<Scrape> {
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
    look(system(), { 'http://r:1': busy(0), [long]: { failure: 'SERVICE_UNREACHABLE' } }),
    look(system(), { 'http://r:1': busy(2), [long]: { failure: 'SERVICE_UNREACHABLE' } }),
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
      scraped(
        [],
        index < 10 ? {} : index < 12 ? { ready: false, waits: ['SITE_UNREACHABLE'] } : {},
      ),
    ]),
  );
  const lines = renderStatus('log cli-1', report(system(), system(), many));
  expect(lines.length).toBeLessThanOrEqual(30);
  expect(lines.filter((line) => /^router +0\.1\.0 +no +SITE_UNREACHABLE/.test(line))).toHaveLength(
    2,
  );
  expect(lines).toContain('and 18 more, all ready');
  const all = Object.fromEntries(
    Object.keys(many).map((url): [string, Told<Scrape>] => [
      url,
      { failure: 'SERVICE_UNREACHABLE' },
    ]),
  );
  expect(renderStatus('log cli-1', report(system(), system(), all)).join('\n')).toMatch(
    / {2}! and 23 more\n[^]*and 18 more, some not ready$/,
  );
});

it('what others chose does not reach the terminal as it is', () => {
  const evil = '\u001b[2Jx';
  const of = report(
    system(),
    system({ control: { told: { mode: 'paused', reason: evil, since: NOW, logLevels: {} } } }),
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
