import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@residency/coded-error';
import { readPolicy } from '@residency/contracts';
import type { PolicyDocument } from '@residency/residency';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, Server } from '../../stack/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Disturbance } from './disturbances.ts';
import type { Ending, Fleet } from './fleet.ts';
import { behind } from './kcat.ts';
import { moving, published } from './policy-changes.ts';

const FIRST_POLICY = new URL('../../../policy/residency-1.json', import.meta.url);
const IN_SYNC_WITHIN_MS = 600_000;

/** Carries out the disturbances of a script, one at a time. */
export class Disturber {
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #fleet: Fleet;
  readonly #random: SeededRandom;
  #policy: PolicyDocument | undefined;
  readonly brokers = { SIGTERM: 0, SIGKILL: 0 };
  brokerDownMs = 0;
  policies = 1;

  constructor(parts: {
    readonly stack: OwnStack;
    readonly deployment: Deployment;
    readonly fleet: Fleet;
    readonly random: SeededRandom;
  }) {
    this.#stack = parts.stack;
    this.#deployment = parts.deployment;
    this.#fleet = parts.fleet;
    this.#random = parts.random;
  }

  async disturb(one: Disturbance): Promise<void> {
    switch (one.kind) {
      case 'router':
        return await this.#fleet.bounceRouter(this.#random, one.signal, one.pauseMs);
      case 'projector':
        return await this.#fleet.bounceProjector(one.signal, one.pauseMs);
      case 'broker':
        return await this.#bounceBroker(one.signal, one.pauseMs);
      case 'broker down':
        return await this.#bounceBroker(one.signal, one.ms);
      case 'router added':
        return await this.#fleet.addRouter();
      case 'router removed':
        return await this.#fleet.removeRouter(this.#random);
      case 'policy':
        return await this.#changePolicy(one);
      default:
        return one satisfies never;
    }
  }

  async #bounceBroker(signal: Ending, pauseMs: number): Promise<void> {
    const broker = this.#random.pick(this.#stack.servers.brokers);
    const since = performance.now();
    await (signal === 'SIGTERM' ? broker.stop() : broker.kill());
    this.brokers[signal] += 1;
    await sleep(pauseMs);
    await broker.start();
    this.brokerDownMs += performance.now() - since;
    await this.#inSync(broker);
  }

  /** Otherwise the next broker to end could hold the only copy of a record. */
  async #inSync({ name }: Server): Promise<void> {
    const until = performance.now() + IN_SYNC_WITHIN_MS;
    while ((await behind(this.#stack.kafka.brokers).catch(() => Infinity)) > 0) {
      if (performance.now() > until)
        throw new Error(
          `Expected all copies in sync within ${IN_SYNC_WITHIN_MS} ms after ${name} came back, found that they are not.`,
        );
      await sleep(500);
    }
  }

  /** Publishes the next version and ends routers around the instant it is effective from. */
  async #changePolicy({
    aheadMs,
    bounces,
  }: Extract<Disturbance, { kind: 'policy' }>): Promise<void> {
    const current = this.#policy ?? readPolicy(await readFile(FIRST_POLICY)).document;
    const region = current.version % 2 === 0 ? 'moscow' : 'zurich';
    const next = moving(current, region, Date.now() + aheadMs);
    this.#policy = next;
    const since = performance.now();
    await this.#append(next);
    this.policies += 1;
    for (const { atMs, signal } of bounces) {
      await sleep(Math.max(0, since + atMs - performance.now()));
      await this.#fleet.bounceRouter(this.#random, signal, 0);
    }
  }

  /** A version may be on the log twice; the first one counts. */
  async #append(document: PolicyDocument): Promise<void> {
    for (;;) {
      try {
        await this.#deployment.log.append([published(document)]);
        return;
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
        await sleep(100);
      }
    }
  }
}
