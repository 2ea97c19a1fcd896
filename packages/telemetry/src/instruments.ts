import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { defined } from '@residency/defined';
import { METRICS } from './catalogue.ts';
import type { MetricDefinition, MetricName } from './catalogue.ts';

type Named<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
type LabelOf<Name extends MetricName> = keyof (typeof METRICS)[Name]['labels'] & string;

/** Creates the catalogue's metrics in one registry, each when a service first uses it. */
export class Instruments {
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  counter<Name extends Named<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    return new Counter(this.#configuration(name));
  }

  /** `collect` is called before each rendering. */
  gauge<Name extends Named<'gauge'>>(
    name: Name,
    collect?: () => void | Promise<void>,
  ): Gauge<LabelOf<Name>> {
    return new Gauge({
      ...this.#configuration(name),
      ...defined({ collect }),
    });
  }

  histogram<Name extends Named<'histogram'>>(name: Name): Histogram<LabelOf<Name>> {
    const { buckets }: MetricDefinition = METRICS[name];
    return new Histogram({
      ...this.#configuration(name),
      ...(buckets === undefined ? {} : { buckets: [...buckets] }),
    });
  }

  #configuration<Name extends MetricName>(
    name: Name,
  ): { name: Name; help: string; labelNames: LabelOf<Name>[]; registers: Registry[] } {
    const { help, labels } = METRICS[name];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own members
    const labelNames = Object.keys(labels) as LabelOf<Name>[];
    return { name, help, labelNames, registers: this.#registers };
  }
}
