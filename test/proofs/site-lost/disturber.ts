import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnStack, Server } from '../../stack/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Disturbance, Victim } from './script.ts';
import type { Services } from './services.ts';
import type { Supervised } from './supervised.ts';

type Disturbed = Pick<Services, 'routers' | 'custodians' | 'projector'>;

/** Carries out the disturbances of a script, each at its time. */
export class Disturber {
  readonly #stack: OwnStack;
  readonly #services: Disturbed;
  readonly #random: SeededRandom;
  readonly done = new Map<Victim, number>();
  readonly #bouncing = new Set<Server>();

  constructor(stack: OwnStack, services: Disturbed, random: SeededRandom) {
    this.#stack = stack;
    this.#services = services;
    this.#random = random;
  }

  /** Resolves once all are over. */
  async disturb(all: readonly Disturbance[]): Promise<void> {
    await Promise.all(
      all.map(async (one) => {
        await sleep(one.at);
        await this.#disturb(one);
        this.done.set(one.victim, (this.done.get(one.victim) ?? 0) + 1);
      }),
    );
  }

  async #disturb({ victim, forMs }: Disturbance): Promise<void> {
    const { routers, custodians, projector } = this.#services;
    switch (victim) {
      case 'router':
        this.#random.pick(routers).kill();
        return;
      case 'routers':
        for (const router of routers) router.kill();
        return;
      case 'frozen router':
        return await freeze(this.#random.pick(routers), forMs);
      case 'frozen custodian':
        return await freeze(this.#random.pick(custodians), forMs);
      case 'custodian':
        this.#random.pick(custodians).kill();
        return;
      case 'custodians':
        for (const custodian of custodians) custodian.kill();
        return;
      case 'projector':
        projector.kill();
        return;
      case 'broker':
        return await this.#bounce(this.#stack.servers.brokers[0], Math.min(forMs, 2_000));
      case 'redis':
        return await this.#bounce(this.#stack.servers.redis, Math.min(forMs, 2_000));
      default:
        return victim satisfies never;
    }
  }

  async #bounce(server: Server | undefined, awayMs: number): Promise<void> {
    // Another disturbance has it down already.
    if (server === undefined || this.#bouncing.has(server)) return;
    this.#bouncing.add(server);
    await server.kill();
    await sleep(awayMs);
    await server.start();
    this.#bouncing.delete(server);
  }
}

async function freeze(one: Supervised, forMs: number): Promise<void> {
  one.freeze();
  await sleep(forMs);
  one.thaw();
}
