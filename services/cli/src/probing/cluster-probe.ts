import { KafkaObserver, openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { configurationOf } from '@residency/configuration';
import { observeConsents } from '@residency/observation';
import type { PositionedView, Snapshot } from '@residency/observation';
import { atMost } from '@residency/waiting';
import { diagnosticsOf } from '../cluster/cluster.ts';
import { readConfigFile } from '../cluster/config-file.ts';
import type { Session } from '../terminal/session.ts';
import { observe } from './observe.ts';
import type { Probe } from './probe.ts';

const WITHIN_MS = 15_000;
/** How long a broker may take to answer: so short that another one can be asked in time. */
const ANSWER_WITHIN_MS = 4_000;
const CLOSE_WITHIN_MS = 2_000;

/** What a cluster is asked through; both reject with a coded error while they can not be had. */
export interface ClusterSources {
  readonly log: () => Promise<KafkaLog>;
  readonly consents: () => Promise<PositionedView>;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** Of each fact; all are read at once. */
  readonly withinMs: number;
}

/** The facts of a cluster, from its Kafka and Redis themselves, whichever services run or do not. */
export class ClusterProbe {
  readonly #sources: ClusterSources;
  #observer: KafkaObserver | undefined;

  constructor(sources: ClusterSources) {
    this.#sources = sources;
  }

  async snapshot(): Promise<Snapshot> {
    const { now, withinMs, consents: view } = this.#sources;
    const [control, topics, intake, appendTimes, consents, policy] = await Promise.all([
      this.#observe((observer) => observer.control(AbortSignal.timeout(withinMs))),
      this.#observe((observer) => observer.topics()),
      this.#observe((observer) => observer.intake()),
      this.#observe((observer) => observer.appendTimes()),
      observe(withinMs, async () => await observeConsents(await view(), now)),
      this.#observe((observer) => observer.policy(AbortSignal.timeout(withinMs))),
    ]);
    return { control, topics, intake, appendTimes, consents, policy };
  }

  async #observe<T>(read: (observer: KafkaObserver) => Promise<T>) {
    return await observe(this.#sources.withinMs, async () => await read(await this.#follow()));
  }

  /** It follows in the background, so each log has one. */
  async #follow(): Promise<KafkaObserver> {
    const log = await this.#sources.log();
    if (this.#observer?.log !== log) this.#observer = new KafkaObserver(log, this.#sources.now);
    return this.#observer;
  }
}

/**
 * Of the cluster that the file at `path` and the environment describe, and the services they name.
 * Nothing is connected before the first snapshot; what failed is tried anew at the next.
 */
export async function openClusterProbe(
  session: Session,
  path: string,
): Promise<{ readonly probe: Probe; readonly metricsUrls: readonly string[] }> {
  const { kafka, redis, status } = configurationOf(
    ['kafka', 'redis', 'status'],
    await readConfigFile(session, path),
  );
  const consents = new RedisConsentView(redis);
  let opening: Promise<KafkaLog> | undefined;
  const log = async (): Promise<KafkaLog> => {
    opening ??= openKafkaLog(
      { ...kafka, requestTimeoutMs: ANSWER_WITHIN_MS },
      diagnosticsOf(session),
    ).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return await opening;
  };
  const probe = new ClusterProbe({
    log,
    consents: () => Promise.resolve(consents),
    now: session.now,
    withinMs: WITHIN_MS,
  });
  return {
    probe: {
      name: `log ${kafka.log}`,
      snapshot: () => probe.snapshot(),
      close: async () => {
        const closing = Promise.all([
          consents.close(),
          opening?.then((opened) => opened.close()).catch(() => undefined),
        ]);
        // A client that waits for an answer that does not come must not hold up the end.
        await atMost(CLOSE_WITHIN_MS, closing);
      },
    },
    metricsUrls: status.metricsUrls,
  };
}
