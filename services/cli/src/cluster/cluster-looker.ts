import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { IntakeProgress, KafkaControlView, KafkaDiagnostics, KafkaLog, KafkaPolicyView, KafkaSettings } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import type { RedisSettings } from '@residency/adapter-redis';
import { configurationOf } from '@residency/configuration';
import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { readConfigFile } from '../config-file.ts';
import { codeOf } from '../exit-code.ts';
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
const LOOK_EVERY_MS = 50;

interface Opened {
  readonly log: KafkaLog;
  readonly control: KafkaControlView;
  readonly policy: KafkaPolicyView;
}

/** The cluster that the file at `path` and the environment describe, and the services it names. Nothing is connected yet. */
export async function openClusterLooker(session: Session, path: string): Promise<{ readonly looker: ClusterLooker; readonly metricsUrls: readonly string[] }> {
  const { kafka, redis, status } = configurationOf(['kafka', 'redis', 'status'], await readConfigFile(session, path));
  return { looker: new ClusterLooker({ kafka, redis, diagnostics: diagnosticsOf(session), now: session.now }), metricsUrls: status.metricsUrls };
}

/** A cluster's Kafka and Redis as they stand, asked directly: whatever services run or do not. */
export class ClusterLooker implements Looker {
  readonly name: string;
  readonly #deps: ClusterLookerDeps;
  readonly #consents: RedisConsentView;
  /** By partition: the first record that is not settled, as of the last look; to find it brings a batch of samples. */
  readonly #oldest = new Map<number, { readonly next: bigint; readonly at: number }>();
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
        return await readNow(log, TOPICS.control, () => view.readFollowed());
      }),
      tell(WITHIN_MS, async () => await this.#intake((await this.#open()).log)),
      tell(WITHIN_MS, () => this.#policy()),
      tell(WITHIN_MS, () => this.#consent()),
    ]);
    return { control, intake, policy, consents };
  }

  async close(): Promise<void> {
    const closing = Promise.all([this.#consents.close(), this.#opening?.then(({ log }) => log.close()).catch(() => undefined)]);
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
    const log = await openKafkaLog({ ...this.#deps.kafka, requestTimeoutMs: ANSWER_WITHIN_MS }, this.#deps.diagnostics);
    return { log, control: log.controlView(), policy: log.policyView() };
  }

  async #policy(): Promise<PolicyLook> {
    const { log, policy } = await this.#open();
    const { watermark, versions } = await readNow(log, TOPICS.policy, () => policy.readFollowed());
    return { ...policyLook(versions, watermark), behindMs: Math.max(0, this.#deps.now() - watermark) };
  }

  async #consent(): Promise<ViewLook> {
    const { watermark, halted } = await this.#consents.position();
    return { behindMs: Math.max(0, this.#deps.now() - watermark), halted };
  }

  async #intake(log: KafkaLog): Promise<IntakeLook> {
    const progress = await log.progress();
    const at = performance.now();
    const found: { readonly partition: number; readonly unsettled: bigint; readonly oldestAt?: number }[] = [];
    for (const one of progress) found.push({ partition: one.partition, ...await this.#unsettled(log, one) });
    const worst = found.reduce<IntakeLook['worst']>((most, { partition, unsettled }) => (unsettled > (most?.unsettled ?? 0n) ? { partition, unsettled } : most), undefined);
    const times = found.flatMap(({ oldestAt }) => (oldestAt === undefined ? [] : [oldestAt]));
    return {
      appended: sum(progress.map(({ end }) => end)), settled: sum(progress.map(({ next }) => next)), unsettled: sum(found.map(({ unsettled }) => unsettled)), at,
      lost: progress.filter(isLost).map(({ partition }) => partition), ...(worst === undefined ? {} : { worst }), ...(times.length === 0 ? {} : { oldestAt: Math.min(...times) }),
    };
  }

  async #unsettled(log: KafkaLog, progress: IntakeProgress): Promise<{ readonly unsettled: bigint; readonly oldestAt?: number }> {
    const { partition, start, end, next } = progress;
    if (next >= end) return { unsettled: 0n };
    const known = this.#oldest.get(partition);
    if (known?.next === next && next >= start) return { unsettled: end - next, oldestAt: known.at };
    const { first, upTo } = await log.ahead(TOPICS.samples, partition, next < start ? start : next);
    // Nothing but markers and aborted records, which nobody ever settles.
    if (first === undefined) return { unsettled: upTo >= end && next >= start ? 0n : end - next };
    this.#oldest.set(partition, { next, at: first.at });
    return { unsettled: end - next, oldestAt: first.at };
  }
}

/** Records were deleted unsettled, or the log lost its end. */
function isLost({ start, end, next }: IntakeProgress): boolean {
  return next < start || next > end;
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((total, count) => total + count, 0n);
}

/** A reading of now: the log answers, and the view that follows it is whole. Whoever gave it so long gives up by himself. */
async function readNow<T>(log: KafkaLog, topic: Topic, read: () => Promise<T>): Promise<T> {
  await log.ends(topic);
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (codeOf(error) !== 'VIEW_NOT_READ' || performance.now() > deadline) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}
