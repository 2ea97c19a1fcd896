import { DEFAULT_LIMITS, INITIAL_CONTROL } from '@residency/contracts';
import { createRouter } from '@residency/routing';
import type { Batch, BatchResult, Blocked } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import { EmbeddedSites, lockRouting } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';

/** One call of the use case to the outside, such as the second `create zrh-1`. */
export interface PortCall {
  readonly port: string;
  /** Counted from 0 for each port. */
  readonly nth: number;
}

/** Callbacks before and after every port call. */
export interface Around {
  call<T>(call: PortCall, work: () => Promise<T>): Promise<T>;
  /** The log settles after this resolves. */
  beforeSettle(call: PortCall, batch: Batch, result: BatchResult): Promise<void>;
  afterSettle(call: PortCall): Promise<void>;
}

/** Small, so that a few records make several batches. */
export const BATCH_RECORDS = 4;

/**
 * The router of a data directory, composed as standalone composes it, with callbacks around every
 * port call from decode to settle.
 */
export async function routeAround(
  data: DataDirectory,
  around: Around,
): Promise<Blocked | undefined> {
  const counts = new Map<string, number>();
  const next = (port: string): PortCall => {
    const nth = counts.get(port) ?? 0;
    counts.set(port, nth + 1);
    return { port, nth };
  };
  const lock = await lockRouting(data);
  try {
    const sealer = new RegionSealer(data.keys);
    const [consents, policies, outcomes] = [
      data.log.consentView(),
      data.log.policyView(),
      data.log.settledOutcomes(),
    ];
    const route = createRouter({
      limits: DEFAULT_LIMITS,
      control: { read: async () => INITIAL_CONTROL },
      watermarkMarginMs: 0,
      sealer: {
        seal: (sample, context) => around.call(next('seal'), () => sealer.seal(sample, context)),
      },
      consents: { read: (ids) => around.call(next('consent view'), () => consents.read(ids)) },
      policies: { read: () => around.call(next('policy view'), () => policies.read()) },
      outcomes: {
        outcomeOf: (position) => around.call(next('audit log'), () => outcomes.outcomeOf(position)),
      },
      sites: new EmbeddedSites(data, (store) => ({
        site: store.site,
        create: (...object) =>
          around.call(next(`create ${store.site}`), () => store.create(...object)),
        head: (key) => around.call(next(`head ${store.site}`), () => store.head(key)),
        flush: () => around.call(next(`flush ${store.site}`), () => store.flush()),
      })),
    });
    let settling: PortCall | undefined;
    const settled = async (): Promise<void> => {
      if (settling !== undefined) await around.afterSettle(settling);
      settling = undefined;
    };
    const blocked = await data.log.submissionLog({ maxBatchRecords: BATCH_RECORDS }).consume(
      async (batch) => {
        await settled();
        const result = await route(batch);
        if (result.settlements.length > 0)
          await around.beforeSettle((settling = next('settle')), batch, result);
        return result;
      },
      { until: 'end', signal: new AbortController().signal },
    );
    await settled();
    return blocked;
  } finally {
    await lock.release();
  }
}

/** Changes nothing, and records every call. */
export class Recorder implements Around {
  readonly calls: PortCall[] = [];

  async call<T>(call: PortCall, work: () => Promise<T>): Promise<T> {
    this.calls.push(call);
    return await work();
  }

  async beforeSettle(call: PortCall): Promise<void> {
    this.calls.push(call);
  }

  async afterSettle(): Promise<void> {}
}
