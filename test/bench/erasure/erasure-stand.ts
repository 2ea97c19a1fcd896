import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Offsets } from '@residency/adapter-kafka';
import {
  SAMPLE_ERASED,
  TOPICS,
  custodyEventIn,
  custodyTopic,
  formatPosition,
} from '@residency/contracts';
import { Publisher } from '../../faults/cluster/publisher.ts';
import { erasureEvidence } from '../../proofs/erasure/erasure-evidence.ts';
import type { ErasureEvidence } from '../../proofs/erasure/erasure-evidence.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { createBucket, openStack } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import type { Place } from '../sdk-client.ts';
import { Child } from '../stack/child.ts';
import type { PublishOrder } from '../stack/orders.ts';
import type { Beside } from '../stack/process-figures.ts';
import { grantEntry } from '../stack/sample-entry.ts';
import { PARTITIONS } from '../stack/stand.ts';
import { REGIONS, sampleOf } from '../workload.ts';

const REGION = 'zurich';
const CUSTODY = custodyTopic(REGION);
const PUBLISHED_AT_ONCE = 100;
const POLL_MS = 100;
const WITHIN_MS = 600_000;
/** The numbers of the load's samples; below are those of the consents. */
const FIRST_OF_LOAD = 2 ** 31;
const WARM_UP = 300;

/** A consent that is withdrawn, and the samples that were sent under it. */
export interface MeasuredConsent {
  readonly id: string;
  /** Positions of its samples that were stored long before. */
  readonly stored: readonly string[];
  /** Positions of those sent just before the withdrawal, and just after it. */
  readonly before: string[];
  readonly after: string[];
}

/** A region under load with a custodian, where each withdrawal orders the erasure. */
export class ErasureStand {
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #publisher: Publisher;
  readonly #bytes: number;
  readonly #services: readonly ServiceProcess[];
  readonly #erased = new Set<string>();
  #custodyFrom: Offsets = new Map();
  #next = 0;
  #load: Child | undefined;

  private constructor(
    stack: OwnStack,
    deployment: Deployment,
    services: readonly ServiceProcess[],
    bytes: number,
  ) {
    this.#stack = stack;
    this.#deployment = deployment;
    this.#services = services;
    this.#bytes = bytes;
    this.#publisher = new Publisher(deployment);
  }

  static async open(bytes: number, longRunning: boolean): Promise<ErasureStand> {
    const stack = await openStack({ brokers: 1, redis: true, sites: true, longRunning });
    const deployment = await Deployment.open(stack, { partitions: PARTITIONS });
    try {
      await deployment.log.append([grantEntry()]);
      const register = join(deployment.folder, 'custodian');
      await mkdir(register);
      const services = await Promise.all([
        deployment.start('custodian', {
          RESIDENCY_CUSTODIAN_REGION: REGION,
          RESIDENCY_CUSTODIAN_STATE_DIR: register,
        }),
        deployment.start('router'),
        deployment.start('consent-projector', { RESIDENCY_ON_WITHDRAWAL: 'erase' }),
      ]);
      return new ErasureStand(stack, deployment, services, bytes);
    } catch (error) {
      await deployment.close();
      await stack.close();
      throw error;
    }
  }

  get custodian(): number {
    return this.#services[0]?.pid ?? 0;
  }

  /** All processes of the benchmark but the custodian. */
  beside(): Beside {
    const { brokers, sites, redis } = this.#stack.servers;
    const pids = [...brokers, ...Object.values(sites), redis].map(({ pid }) => pid);
    return {
      servers: pids.filter((pid) => pid !== undefined),
      services: this.#services.slice(1).map(({ pid }) => pid),
      bench: [process.pid, ...(this.#load === undefined ? [] : [this.#load.pid])],
    };
  }

  /**
   * Stores samples under new consents, so many for each, and under no consent of these until there
   * are `least`. Also returns how many a second the router stored.
   */
  async store(
    sizes: readonly number[],
    least: number,
  ): Promise<{
    readonly consents: readonly MeasuredConsent[];
    readonly perSecond: number;
  }> {
    const kept = await this.#publisher.grant();
    await this.#publish(kept, WARM_UP);
    await this.#publisher.settled();
    const from = await this.#deployment.log.ends(TOPICS.audit);
    const consents: MeasuredConsent[] = [];
    for (const size of sizes) {
      const id = await this.#publisher.grant();
      const stored = await this.#publish(id, size);
      consents.push({ id, stored, before: [], after: [] });
    }
    const sum = sizes.reduce((total, size) => total + size, 0);
    await this.#publish(kept, Math.max(0, least - sum));
    await this.#publisher.settled();
    return { consents, perSecond: await this.#rateSince(from) };
  }

  async #rateSince(from: Offsets): Promise<number> {
    let [first, last, count] = [Infinity, 0, 0];
    for await (const { at } of this.#deployment.log.read(TOPICS.audit, { from, until: 'end' })) {
      [first, last] = [Math.min(first, at), Math.max(last, at)];
      count += 1;
    }
    return count / (Math.max(1, last - first) / 1e3);
  }

  /** Publishes at this rate until `evidence` or `close` is called. */
  load(perSecond: number): void {
    const order: PublishOrder = {
      samples: {
        workload: { bytes: this.#bytes, count: 0, region: REGION },
        first: FIRST_OF_LOAD,
        partitions: 'all',
      },
      seconds: WITHIN_MS,
      how: { mode: 'paced', perSecond },
    };
    this.#load = new Child('publish-process.ts', order, this.#deployment.env);
  }

  /** Withdraws the consent while so many of its samples are on their way; as many come too late. */
  async withdraw(consent: MeasuredConsent, onTheirWay: number): Promise<void> {
    consent.before.push(...(await this.#publish(consent.id, onTheirWay)));
    await this.#publisher.withdraw(consent.id);
    consent.after.push(...(await this.#publish(consent.id, onTheirWay)));
  }

  /** Resolves once the custody log says that all samples of these consents are erased. */
  async gone(consents: readonly MeasuredConsent[]): Promise<void> {
    const deadline = performance.now() + WITHIN_MS;
    const left = new Set(consents.flatMap(({ stored, before }) => [...stored, ...before]));
    for (;;) {
      await this.#readCustody();
      for (const position of left) if (this.#erased.has(position)) left.delete(position);
      if (left.size === 0) return;
      if (performance.now() > deadline)
        throw new Error(
          `Expected the samples to be erased within ${WITHIN_MS} ms, found ${left.size} left:\n${this.#deployment.said()}`,
        );
      await sleep(POLL_MS);
    }
  }

  async #readCustody(): Promise<void> {
    const { log } = this.#deployment;
    for await (const { value, offset } of log.read(CUSTODY, {
      from: this.#custodyFrom,
      until: 'end',
    })) {
      const event = custodyEventIn(value);
      if (event?.type === SAMPLE_ERASED) this.#erased.add(event.data.of);
      this.#custodyFrom = new Map([[0, offset + 1n]]);
    }
  }

  /** New buckets at the region's sites, for a floor. */
  async places(): Promise<readonly Place[]> {
    const sites = REGIONS[REGION].sites.map((site) => this.#stack.sites[site]);
    return await Promise.all(
      sites.map(async (site) => ({ site, bucket: await createBucket(site) })),
    );
  }

  /** Ends load and services, once all is settled; what the topics and folders have then. */
  async evidence(): Promise<ErasureEvidence> {
    await this.#load?.close();
    this.#load = undefined;
    await this.#publisher.settled();
    await Promise.all(this.#services.map((service) => service.stop()));
    return await erasureEvidence(this.#stack, this.#deployment);
  }

  async close(): Promise<void> {
    await this.#load?.close();
    await this.#deployment.close();
    await this.#stack.close();
  }

  async #publish(consent: string, count: number): Promise<readonly string[]> {
    const workload = { bytes: this.#bytes, count, region: REGION } as const;
    const positions: string[] = [];
    while (positions.length < count) {
      const together = Math.min(PUBLISHED_AT_ONCE, count - positions.length);
      const published = await this.#publisher.publish(
        Array.from({ length: together }, () => ({
          country: REGIONS[REGION].country,
          consent,
          becomes: 'stored zurich',
          bytes: sampleOf(workload, this.#next++),
          key: randomUUID(),
        })),
      );
      positions.push(...published.map((position) => formatPosition(position)));
    }
    return positions;
  }
}
