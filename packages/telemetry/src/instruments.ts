import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { METRICS } from './catalogue.ts';
import type { MetricDefinition, MetricName } from './catalogue.ts';

type Named<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
type LabelOf<Name extends MetricName> = keyof (typeof METRICS)[Name]['labels'] & string;

/** The catalogue's metrics, made in one registry when a service says that it has them. */
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
      ...(collect === undefined ? {} : { collect }),
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
    return {
      name,
      help,
      labelNames: Object.keys(labels) as LabelOf<Name>[],
      registers: this.#registers,
    };
  }
}
