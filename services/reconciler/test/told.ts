import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import type { ServiceProcess } from '../../../test/deployment/service-process.ts';

const WITHIN_MS = 120_000;

/** What a service tells Prometheus, by `name` or `name{labels}` as written there. */
export type Told = ReadonlyMap<string, number>;

export async function toldBy(service: ServiceProcess): Promise<Told> {
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

/** Of all series of a metric. */
export function sum(told: Told, name: string): number {
  return [...told]
    .filter(([series]) => series === name || series.startsWith(`${name}{`))
    .reduce((total, [, value]) => total + value, 0);
}

/** Looks at what it tells until that is as expected. */
export async function tells(
  service: ServiceProcess,
  expected: (told: Told) => boolean,
): Promise<Told> {
  let last: Told = new Map();
  return await eventually(async () => {
    last = await toldBy(service);
    if (expected(last)) return last;
    await sleep(50);
    return undefined;
  }, WITHIN_MS).catch((cause: unknown) => {
    throw new Error(
      `Expected ${service.name} to tell something else than\n${[...last].map(([series, value]) => `${series} ${value}`).join('\n')}\n${service.output}`,
      { cause },
    );
  });
}
