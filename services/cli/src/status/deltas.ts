import type { MetricSample } from '../probing/prometheus-text.ts';

/** What happened between two scrapes of one service. */
export interface Interval {
  readonly before: readonly MetricSample[];
  readonly after: readonly MetricSample[];
  readonly seconds: number;
}

/**
 * A metric's growth by the values of these labels, of all services together. A counter that fell
 * began anew.
 */
export function growth(
  intervals: readonly Interval[],
  name: string,
  by: readonly string[],
): ReadonlyMap<string, { readonly labels: MetricSample['labels']; readonly perSecond: number }> {
  const sums = new Map<string, { labels: MetricSample['labels']; perSecond: number }>();
  for (const { before, after, seconds } of intervals) {
    const known = new Map(
      before.filter((one) => one.name === name).map((one) => [seriesOf(one), one.value]),
    );
    for (const sample of after.filter((one) => one.name === name)) {
      const earlier = known.get(seriesOf(sample)) ?? 0;
      const grown = sample.value >= earlier ? sample.value - earlier : sample.value;
      const labels = Object.fromEntries(by.map((label) => [label, sample.labels[label] ?? '']));
      const key = JSON.stringify(labels);
      sums.set(key, { labels, perSecond: (sums.get(key)?.perSecond ?? 0) + grown / seconds });
    }
  }
  return sums;
}

/** A histogram's growth by the value of one label, as what `quantile` takes. */
export function histograms(
  intervals: readonly Interval[],
  name: string,
  by: string,
): ReadonlyMap<string, readonly Bucket[]> {
  const found = new Map<string, Bucket[]>();
  for (const {
    labels: { le, [by]: value = '' },
    perSecond,
  } of growth(intervals, `${name}_bucket`, [by, 'le']).values()) {
    const edge = le === '+Inf' ? Infinity : Number(le);
    if (!Number.isNaN(edge))
      found.set(value, [...(found.get(value) ?? []), { edge, count: perSecond }]);
  }
  return new Map(
    [...found].map(([value, buckets]) => [value, buckets.toSorted((a, b) => a.edge - b.edge)]),
  );
}

/** How much stood at or below the edge. */
export interface Bucket {
  readonly edge: number;
  readonly count: number;
}

/**
 * As Prometheus's `histogram_quantile`: linear within a bucket; beyond the last finite edge that
 * edge. `undefined`: nothing was counted.
 */
export function quantile(buckets: readonly Bucket[], q: number): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (!(total > 0)) return undefined;
  const index = buckets.findIndex(({ count }) => count >= q * total);
  const { edge, count } = buckets[index] ?? { edge: Infinity, count: total };
  const { edge: below, count: already } = buckets[index - 1] ?? { edge: 0, count: 0 };
  if (edge === Infinity) return below;
  return count === already
    ? edge
    : below + ((edge - below) * (q * total - already)) / (count - already);
}

/** A gauge's values, each with its labels. */
export function gauges(samples: readonly MetricSample[], name: string): readonly MetricSample[] {
  return samples.filter((sample) => sample.name === name);
}

function seriesOf({ labels }: MetricSample): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
