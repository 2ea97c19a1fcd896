import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';

/** The `residency_` series of one scrape of a service: value by `name` or `name{labels}`, as written there. */
export type ScrapedMetrics = ReadonlyMap<string, number>;

export async function scrape(service: ServiceProcess): Promise<ScrapedMetrics> {
  const lines = (await (await fetch(`${service.url}/metrics`)).text())
    .split('\n')
    .filter((line) => line.startsWith('residency_'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

/** The sum over all series of a metric. */
export function sum(metrics: ScrapedMetrics, name: string): number {
  return [...metrics]
    .filter(([series]) => series === name || series.startsWith(`${name}{`))
    .reduce((total, [, value]) => total + value, 0);
}

/** Scrapes the service until `expected` returns true. Throws with the last scrape if it never does. */
export async function untilScraped(
  service: ServiceProcess,
  expected: (metrics: ScrapedMetrics) => boolean,
): Promise<ScrapedMetrics> {
  let last: ScrapedMetrics = new Map();
  return await eventually(async () => {
    last = await scrape(service);
    if (expected(last)) return last;
    await sleep(50);
    return undefined;
  }).catch((cause: unknown) => {
    throw new Error(
      `Expected ${service.name} to expose the expected metrics, found\n${[...last].map(([series, value]) => `${series} ${value}`).join('\n')}\n${service.output}`,
      { cause },
    );
  });
}
