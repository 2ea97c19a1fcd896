import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName, ServiceProcess } from '../../running-deployment/service-process.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** Twelve times the grace period of a service: a busy machine is slow. */
const ENDED_MS = 300_000;
/** After everything is settled. A site that was away is tried at least every half a minute. */
export const PAID_WITHIN_MS = 600_000;

export type Ending = 'SIGTERM' | 'SIGKILL';

/**
 * The routers, the projector and Zurich's custodian of a run. They may end only when this class ends
 * them.
 */
export class Fleet {
  readonly #deployment: Deployment;
  readonly #routers: ServiceProcess[] = [];
  #projector: ServiceProcess | undefined;
  #custodian: ServiceProcess | undefined;
  /** Services that ended by themselves or in the wrong way. */
  readonly findings: string[] = [];
  readonly bounces = {
    SIGTERM: 0,
    SIGKILL: 0,
    projector: 0,
    custodian: 0,
    added: 0,
    removed: 0,
  };

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  async open(routers: number): Promise<void> {
    this.#projector = await this.#start('consent-projector');
    this.#custodian = await this.#start('custodian');
    this.#routers.push(
      ...(await Promise.all(Array.from({ length: routers }, () => this.#start('router')))),
    );
  }

  /** Ends a router and starts another one after `pauseMs`. */
  async bounceRouter(random: SeededRandom, signal: Ending, pauseMs: number): Promise<void> {
    await this.#end(this.#take(random), signal);
    this.bounces[signal] += 1;
    await sleep(pauseMs);
    this.#routers.push(await this.#start('router'));
  }

  async bounceProjector(signal: Ending, pauseMs: number): Promise<void> {
    const projector = this.#projector;
    this.#projector = undefined;
    if (projector !== undefined) await this.#end(projector, signal);
    this.bounces.projector += 1;
    await sleep(pauseMs);
    this.#projector = await this.#start('consent-projector');
  }

  async bounceCustodian(signal: Ending, pauseMs: number): Promise<void> {
    const custodian = this.#custodian;
    this.#custodian = undefined;
    if (custodian !== undefined) await this.#end(custodian, signal);
    this.bounces.custodian += 1;
    await sleep(pauseMs);
    this.#custodian = await this.#start('custodian');
  }

  /** Every copy that Zurich's sites owe is made. */
  async untilPaid(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const owed = await this.#owed();
      if (owed === 0) return true;
      if (signal.aborted) return false;
      await sleep(500);
    }
  }

  /** The owed copies; `undefined`: the custodian does not say. */
  async #owed(): Promise<number | undefined> {
    try {
      const text = await (await fetch(`${this.#custodian?.url}/metrics`)).text();
      const counts = [...text.matchAll(/^residency_copies_owed\{.*\} (\d+)$/gm)];
      return counts.length === 0
        ? undefined
        : counts.reduce((sum, [, count]) => sum + Number(count), 0);
    } catch {
      return undefined;
    }
  }

  async addRouter(): Promise<void> {
    this.#routers.push(await this.#start('router'));
    this.bounces.added += 1;
  }

  async removeRouter(random: SeededRandom): Promise<void> {
    await this.#end(this.#take(random), 'SIGTERM');
    this.bounces.removed += 1;
  }

  /**
   * A service that ended by itself is a finding, and is started again, as a supervisor would do.
   */
  async watch(): Promise<void> {
    for (const [index, router] of this.#routers.entries()) {
      if (router.running) continue;
      this.findings.push(
        `a router ended by itself with ${String(await router.exited())}: ${lastWords(router)}`,
      );
      this.#routers[index] = await this.#launch('router');
    }
    this.#projector = await this.#watched(this.#projector);
    this.#custodian = await this.#watched(this.#custodian);
  }

  async #watched(service: ServiceProcess | undefined): Promise<ServiceProcess | undefined> {
    if (service?.running !== false) return service;
    this.findings.push(
      `the ${service.name} ended by itself with ${String(await service.exited())}: ${lastWords(service)}`,
    );
    return await this.#launch(service.name);
  }

  get #others(): readonly ServiceProcess[] {
    return [this.#projector, this.#custodian].filter((service) => service !== undefined);
  }

  /** The readiness of all services as text. */
  async describe(): Promise<string> {
    const services = [...this.#routers, ...this.#others];
    return (
      await Promise.all(
        services.map(async (service) => {
          const readiness = await service
            .readiness()
            .then((value) => JSON.stringify(value), String);
          return `${service.name} ${service.pid}: ${readiness}\n${lastWords(service)}`;
        }),
      )
    ).join('\n');
  }

  /** Ends all services cleanly. */
  async close(): Promise<void> {
    const services = [...this.#routers.splice(0), ...this.#others];
    this.#projector = undefined;
    this.#custodian = undefined;
    await Promise.all(services.map((service) => this.#end(service, 'SIGTERM')));
  }

  #take(random: SeededRandom): ServiceProcess {
    const router = random.pick(this.#routers);
    this.#routers.splice(this.#routers.indexOf(router), 1);
    return router;
  }

  async #end(service: ServiceProcess, signal: Ending): Promise<void> {
    service.signal(signal);
    const by = await Promise.race([
      service.exited(),
      sleep(ENDED_MS, 'not at all', { ref: false }),
    ]);
    if (by === 'not at all') await service.stop('SIGKILL');
    if (by !== (signal === 'SIGTERM' ? 0 : 'SIGKILL'))
      this.findings.push(
        `${service.name} got ${signal} and ended with ${String(by)}: ${lastWords(service)}`,
      );
  }

  async #start(name: ServiceName): Promise<ServiceProcess> {
    return await (await this.#launch(name)).ready();
  }

  async #launch(name: ServiceName): Promise<ServiceProcess> {
    return await this.#deployment.launch(
      name,
      name === 'custodian' ? { RESIDENCY_CUSTODIAN_REGION: 'zurich' } : {},
    );
  }
}

function lastWords(service: ServiceProcess): string {
  return service.output.slice(-1_500);
}
