import { setTimeout as sleep } from 'node:timers/promises';
import { OldestUnsettled, isLost, openKafkaLog, readNow } from '@residency/adapter-kafka';
import type {
  KafkaControlView,
  KafkaDiagnostics,
  KafkaLog,
  KafkaPolicyView,
  KafkaSettings,
} from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import type { RedisSettings } from '@residency/adapter-redis';
import { configurationOf } from '@residency/configuration';
import { TOPICS } from '@residency/contracts';
import { readConfigFile } from '../config-file.ts';
import type { Session } from '../session.ts';
import type { IntakeLook, Looker, PolicyLook, ViewLook } from '../status/look.ts';
import { policyLook } from '../status/policy-look.ts';
import { tell } from '../status/told.ts';
import { diagnosticsOf } from './cluster.ts';

export interface ClusterLookerDeps {
  readonly kafka: KafkaSettings;
  readonly redis: RedisSettings;
  readonly diagnostics: KafkaDiagnostics;
  readonly now: () => number;
}

/** All of them at once, so that a look at a cluster that is away altogether ends soon. */
const WITHIN_MS = 15_000;
/** How long a broker may take to answer: so short that another one can be asked in time. */
const ANSWER_WITHIN_MS = 4_000;
const CLOSE_WITHIN_MS = 2_000;

interface Opened {
  readonly log: KafkaLog;
  readonly control: KafkaControlView;
  readonly policy: KafkaPolicyView;
}

/** The cluster that the file at `path` and the environment describe, and the services it names. Nothing is connected yet. */
export async function openClusterLooker(
  session: Session,
  path: string,
): Promise<{ readonly looker: ClusterLooker; readonly metricsUrls: readonly string[] }> {
  const { kafka, redis, status } = configurationOf(
    ['kafka', 'redis', 'status'],
    await readConfigFile(session, path),
  );
  return {
    looker: new ClusterLooker({
      kafka,
      redis,
      diagnostics: diagnosticsOf(session),
      now: session.now,
    }),
    metricsUrls: status.metricsUrls,
  };
}

/** A cluster's Kafka and Redis as they stand, asked directly: whatever services run or do not. */
export class ClusterLooker implements Looker {
  readonly name: string;
  readonly #deps: ClusterLookerDeps;
  readonly #consents: RedisConsentView;
  readonly #oldest = new OldestUnsettled(
    async (partition, offset) =>
      await (await this.#open()).log.ahead(TOPICS.samples, partition, offset),
  );
  #opening: Promise<Opened> | undefined;

  constructor(deps: ClusterLookerDeps) {
    this.name = `log ${deps.kafka.log}`;
    this.#deps = deps;
    this.#consents = new RedisConsentView(deps.redis);
  }

  async look() {
    const [control, intake, policy, consents] = await Promise.all([
      tell(WITHIN_MS, async () => {
        const { log, control: view } = await this.#open();
        return await readNow(log, TOPICS.control, view, AbortSignal.timeout(WITHIN_MS));
      }),
      tell(WITHIN_MS, async () => await this.#intake((await this.#open()).log)),
      tell(WITHIN_MS, () => this.#policy()),
      tell(WITHIN_MS, () => this.#consent()),
    ]);
    return { control, intake, policy, consents };
  }

  async close(): Promise<void> {
    const closing = Promise.all([
      this.#consents.close(),
      this.#opening?.then(({ log }) => log.close()).catch(() => undefined),
    ]);
    // A client that waits for an answer that does not come must not hold up the end.
    await Promise.race([closing, sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
  }

  /** What failed is tried anew at the next look. */
  async #open(): Promise<Opened> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return await this.#opening;
  }

  async #connect(): Promise<Opened> {
    const log = await openKafkaLog(
      { ...this.#deps.kafka, requestTimeoutMs: ANSWER_WITHIN_MS },
      this.#deps.diagnostics,
    );
    return { log, control: log.controlView(), policy: log.policyView() };
  }

  async #policy(): Promise<PolicyLook> {
    const { log, policy } = await this.#open();
    const { watermark, versions } = await readNow(
      log,
      TOPICS.policy,
      policy,
      AbortSignal.timeout(WITHIN_MS),
    );
    return {
      ...policyLook(versions, watermark),
      behindMs: Math.max(0, this.#deps.now() - watermark),
    };
  }

  async #consent(): Promise<ViewLook> {
    const { watermark, halted } = await this.#consents.position();
    return { behindMs: Math.max(0, this.#deps.now() - watermark), halted };
  }

  async #intake(log: KafkaLog): Promise<IntakeLook> {
    const progress = await log.progress();
    const at = performance.now();
    const found: {
      readonly partition: number;
      readonly unsettled: bigint;
      readonly oldestAt?: number;
    }[] = [];
    for (const one of progress) {
      const { at: oldestAt, settledUpTo } = await this.#oldest.of(one);
      found.push({
        partition: one.partition,
        unsettled: one.end > settledUpTo ? one.end - settledUpTo : 0n,
        ...(oldestAt === undefined ? {} : { oldestAt }),
      });
    }
    const worst = found.reduce<IntakeLook['worst']>(
      (most, { partition, unsettled }) =>
        unsettled > (most?.unsettled ?? 0n) ? { partition, unsettled } : most,
      undefined,
    );
    const times = found.flatMap(({ oldestAt }) => (oldestAt === undefined ? [] : [oldestAt]));
    return {
      appended: sum(progress.map(({ end }) => end)),
      settled: sum(progress.map(({ next }) => next)),
      unsettled: sum(found.map(({ unsettled }) => unsettled)),
      at,
      lost: progress.filter(isLost).map(({ partition }) => partition),
      ...(worst === undefined ? {} : { worst }),
      ...(times.length === 0 ? {} : { oldestAt: Math.min(...times) }),
    };
  }
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((total, count) => total + count, 0n);
}
