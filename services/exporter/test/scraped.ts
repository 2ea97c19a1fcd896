import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@residency/testkit';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';

/** What a service tells Prometheus: values by `name` or `name{labels}`, as written there. */
export class Scraped {
  readonly #values: ReadonlyMap<string, number>;

  private constructor(values: ReadonlyMap<string, number>) {
    this.#values = values;
  }

  static async of(service: ServiceProcess): Promise<Scraped> {
    const lines = (await (await fetch(`${service.url}/metrics`)).text())
      .split('\n')
      .filter((line) => /^(?:residency|kafka)_/.test(line));
    return new Scraped(
      new Map(
        lines.map((line) => [
          line.slice(0, line.lastIndexOf(' ')),
          Number(line.slice(line.lastIndexOf(' ') + 1)),
        ]),
      ),
    );
  }

  get lines(): string {
    return [...this.#values].map(([series, value]) => `${series} ${value}`).join('\n');
  }

  /** Of a metric, by the value of one of its labels. */
  by(name: string, label: string): Readonly<Record<string, number>> {
    const of = [...this.#values].filter(([series]) => series.startsWith(`${name}{`));
    return Object.fromEntries(
      of.map(([series, value]) => [
        new RegExp(`[{,]${label}="([^"]*)"`).exec(series)?.[1] ?? '',
        value,
      ]),
    );
  }

  /** `undefined`: absent. */
  value(series: string): number | undefined {
    return this.#values.get(series);
  }

  sum(name: string): number | undefined {
    const values = [...this.#values]
      .filter(([series]) => series === name || series.startsWith(`${name}{`))
      .map(([, value]) => value);
    return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0);
  }
}

/** Looks at what it tells until that is as expected. */
export async function tells(
  service: ServiceProcess,
  expected: (told: Scraped) => boolean,
): Promise<Scraped> {
  let last: Scraped | undefined;
  return await eventually(async () => {
    last = await Scraped.of(service);
    if (expected(last)) return last;
    await sleep(100);
    return undefined;
  }).catch((cause: unknown) => {
    throw new Error(
      `Expected ${service.name} to tell something else than\n${last?.lines}\n${service.output}`,
      { cause },
    );
  });
}
