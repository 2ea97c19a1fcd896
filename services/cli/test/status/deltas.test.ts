import { expect, it } from 'vitest';
import { growth, histograms, quantile } from '../../src/status/deltas.ts';
import type { MetricSample } from '../../src/probing/prometheus-text.ts';

const counter = (value: number, labels: MetricSample['labels'] = {}): MetricSample => ({
  name: 'c',
  labels,
  value,
});

it("a counter's growth is per second, of all services together; one that began anew counts from nothing", () => {
  const one = {
    before: [counter(10, { code: 'a', x: '1' }), counter(5, { code: 'a', x: '2' })],
    after: [
      counter(14, { code: 'a', x: '1' }),
      counter(5, { code: 'a', x: '2' }),
      counter(6, { code: 'b', x: '1' }),
    ],
    seconds: 2,
  };
  const restarted = {
    before: [counter(100, { code: 'a' })],
    after: [counter(4, { code: 'a' })],
    seconds: 2,
  };
  expect([...growth([one, restarted], 'c', ['code']).values()]).toEqual([
    { labels: { code: 'a' }, perSecond: 4 },
    { labels: { code: 'b' }, perSecond: 3 },
  ]);
});

it('quantiles are those of Prometheus: linear within a bucket, and never beyond the last finite edge', () => {
  const buckets = [
    { edge: 1, count: 0 },
    { edge: 2, count: 50 },
    { edge: 4, count: 100 },
    { edge: Infinity, count: 100 },
  ];
  expect([
    quantile(buckets, 0.5),
    quantile(buckets, 0.25),
    quantile(buckets, 0.75),
    quantile(buckets, 1),
  ]).toEqual([2, 1.5, 3, 4]);
  expect(
    quantile(
      [
        { edge: 1, count: 0 },
        { edge: Infinity, count: 3 },
      ],
      0.5,
    ),
  ).toBe(1);
  expect([
    quantile(
      [
        { edge: 1, count: 0 },
        { edge: Infinity, count: 0 },
      ],
      0.5,
    ),
    quantile([], 0.5),
  ]).toEqual([undefined, undefined]);
});

it("a histogram's buckets are put in the order of their edges", () => {
  const bucket = (le: string, value: number): MetricSample => ({
    name: 'h_bucket',
    labels: { le, stage: 'store' },
    value,
  });
  const found = histograms(
    [{ before: [], after: [bucket('+Inf', 8), bucket('10', 6), bucket('2.5', 4)], seconds: 2 }],
    'h',
    'stage',
  );
  expect(found.get('store')).toEqual([
    { edge: 2.5, count: 2 },
    { edge: 10, count: 3 },
    { edge: Infinity, count: 4 },
  ]);
});
