import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { KafkaLog, Offsets } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { REGIONS } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { Child } from './child.ts';
import { NullS3 } from './null-s3.ts';
import type { PublishOrder } from './orders.ts';
import type { Beside } from './process-figures.ts';
import { appendSamples, grantEntry } from './sample-entry.ts';
import type { Samples } from './sample-entry.ts';

/** More than twice as many as routers are compared, so that each has several. */
export const PARTITIONS = 6;
const LOOK_MS = 200;
const PATIENCE_MS = 600_000;

/** Samples in the intake log that are not settled. */
export interface Published {
  readonly workload: Workload;
  /** The number of the first. */
  readonly first: number;
  /** Their first offsets. */
  readonly from: Offsets;
  /** The end of the audit log before them. */
  readonly auditFrom: Offsets;
}

/**
 * A broker, Redis, an endpoint that stores nothing, and a projector, for the routers of all runs.
 * All runs share one intake log.
 */
export class Stand {
  readonly deployment: Deployment;
  readonly s3: NullS3;
  readonly #stack: OwnStack;
  readonly #projector: ServiceProcess;
  #next = 0;

  private constructor(parts: {
    readonly deployment: Deployment;
    readonly s3: NullS3;
    readonly stack: OwnStack;
    readonly projector: ServiceProcess;
  }) {
    this.deployment = parts.deployment;
    this.s3 = parts.s3;
    this.#stack = parts.stack;
    this.#projector = parts.projector;
  }

  static async open({
    gatherMs,
    longRunning,
  }: {
    readonly gatherMs: number;
    readonly longRunning: boolean;
  }): Promise<Stand> {
    const s3 = await NullS3.open();
    let stack: OwnStack | undefined;
    let deployment: Deployment | undefined;
    try {
      stack = await openStack({
        brokers: 1,
        redis: true,
        longRunning,
        kafkaSettings: { 'group.initial.rebalance.delay.ms': String(gatherMs) },
      });
      deployment = await Deployment.open(
        { kafka: stack.kafka, redis: stack.redis, sites: s3.sites },
        { partitions: PARTITIONS },
      );
      const projector = await deployment.start('consent-projector');
      await deployment.log.append([grantEntry()]);
      return new Stand({ deployment, s3, stack, projector });
    } catch (error) {
      await deployment?.close();
      await stack?.close();
      await s3.close();
      throw error;
    }
  }

  get log(): KafkaLog {
    return this.deployment.log;
  }

  /** The processes beside the measured ones. */
  beside(): Beside {
    const { brokers, redis } = this.#stack.servers;
    const pids = (...servers: readonly { readonly pid: number | undefined }[]): number[] =>
      servers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    return {
      endpoint: [this.s3.pid],
      broker: pids(...brokers),
      beside: [this.#projector.pid, process.pid, ...pids(redis)],
    };
  }

  /** The sites of a workload, as variables for a peer. */
  sitesFor({ region }: Workload): Readonly<Record<string, string>> {
    const { buckets } = this.deployment;
    const sites = REGIONS[region].sites;
    const { endpoint, awsRegion, accessKeyId, secretAccessKey } = this.s3.sites[sites[0]];
    return {
      RESIDENCY_BENCH_ENDPOINT: endpoint,
      RESIDENCY_BENCH_BUCKETS: sites.map((site) => buckets[site]).join(','),
      AWS_REGION: awsRegion,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
  }

  /**
   * Publishes all samples before a router starts. By the time a router has joined, their watermarks
   * are old enough.
   */
  async publish(workload: Workload, partitions: Samples['partitions'] = 'all'): Promise<Published> {
    const [from, auditFrom] = [
      await this.log.ends(TOPICS.samples),
      await this.log.ends(TOPICS.audit),
    ];
    const first = this.#next;
    await appendSamples(this.log, { workload, first, partitions }, workload.count);
    this.#next += workload.count;
    // Otherwise the broker's files would still be flushed while the clock runs.
    await promisify(execFile)('sync');
    return { workload, first, from, auditFrom };
  }

  /** Publishes in a process of its own while routers run. Returns the number of samples. */
  async publishing(workload: Workload, seconds: number, how: PublishOrder['how']): Promise<number> {
    const order: PublishOrder = {
      samples: { workload, first: this.#next, partitions: 'all' },
      seconds,
      how,
    };
    const { published } = await Child.run<{ readonly published: number }>(
      'publish-process.ts',
      order,
      this.deployment.env,
    );
    this.#next += published;
    return published;
  }

  /**
   * Resolves once the whole intake log is settled. Throws if a router ends, or if nothing is
   * settled for ten minutes.
   */
  async settled(routers: readonly ServiceProcess[]): Promise<void> {
    let [least, since] = [Infinity, performance.now()];
    for (;;) {
      const left = [...(await this.log.lag()).values()].reduce(
        (sum, each) => sum + Number(each),
        0,
      );
      if (left === 0) return;
      if (left < least) [least, since] = [left, performance.now()];
      const stuck = performance.now() - since > PATIENCE_MS;
      if (stuck || routers.some(({ running }) => !running)) {
        throw new Error(
          `Expected the routers to settle everything, found ${left} records left and ${stuck ? 'nothing settled for ten minutes' : 'a router that ended'}:\n${this.deployment.said()}`,
        );
      }
      await sleep(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    await this.deployment.close();
    await this.#stack.close();
    await this.s3.close();
  }
}
