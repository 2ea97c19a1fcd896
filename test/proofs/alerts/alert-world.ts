import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { defined } from '@residency/defined';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName, ServiceProcess } from '../../running-deployment/service-process.ts';
import { PrometheusServer, openStack } from '../../stack/index.ts';
import type { OwnStack, Targets } from '../../stack/index.ts';
import { trafficConsents } from '../traffic.ts';
import { AlertWatch } from './alert-watch.ts';
import type { Shell } from './runbooks.ts';
import { SteadyFlow } from './steady-flow.ts';

const SERVICES: readonly ServiceName[] = [
  'consent-projector',
  'router',
  'auditor',
  'intake',
  'reconciler',
  'custodian',
  'exporter',
];
const AFTER_CONSENT_MS = 2_000;
const SCRAPE_SECONDS = 5;
const CLI = fileURLToPath(new URL('../../../services/cli/bin/residency.js', import.meta.url));

export interface AlertWorldOptions {
  readonly longRunning: boolean;
  readonly everyMs: number;
}

/** A whole deployment under steady traffic, with a Prometheus and a watch of its alerts. */
export class AlertWorld {
  readonly stack: OwnStack;
  readonly deployment: Deployment;
  readonly prometheus: PrometheusServer;
  readonly watch: AlertWatch;
  readonly flow: SteadyFlow;
  readonly #services: Map<ServiceName, ServiceProcess>;

  private constructor(
    parts: Pick<AlertWorld, 'stack' | 'deployment' | 'prometheus' | 'watch' | 'flow'>,
    services: Map<ServiceName, ServiceProcess>,
  ) {
    this.stack = parts.stack;
    this.deployment = parts.deployment;
    this.prometheus = parts.prometheus;
    this.watch = parts.watch;
    this.flow = parts.flow;
    this.#services = services;
  }

  /** `longRunning`: of the stack's servers. `everyMs`: between two submissions. */
  static async open({ longRunning, everyMs }: AlertWorldOptions): Promise<AlertWorld> {
    const stack = await openStack({ brokers: 1, sites: true, redis: true, longRunning });
    const deployment = await Deployment.open(stack, {
      partitions: 2,
      env: {
        RESIDENCY_EXPORTER_INTERVAL_MS: '5000',
        RESIDENCY_RECONCILER_PAUSE_MS: '10000',
        RESIDENCY_CUSTODIAN_REGION: 'zurich',
      },
    });
    await deployment.log.append(trafficConsents());
    const services = new Map<ServiceName, ServiceProcess>();
    for (const name of SERVICES) services.set(name, await deployment.start(name));
    await commandOnPath(deployment);
    const prometheus = await PrometheusServer.open(targets(services), SCRAPE_SECONDS);
    await sleep(AFTER_CONSENT_MS);
    return new AlertWorld(
      {
        stack,
        deployment,
        prometheus,
        watch: new AlertWatch(prometheus),
        flow: new SteadyFlow(deployment.log, everyMs),
      },
      services,
    );
  }

  service(name: ServiceName): ServiceProcess {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`Expected a ${name}, found none.`);
    return service;
  }

  async start(name: ServiceName, env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.launch(name, env);
    await this.service(name).ready();
  }

  /** Does not wait until it is ready, because it may never be. */
  async launch(name: ServiceName, env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#services.set(name, await this.deployment.launch(name, env));
    await this.prometheus.scrape(targets(this.#services));
  }

  /**
   * What a runbook's commands find: `residency` on the PATH, `residency.env` in the folder, a
   * variable for each service. Pages that ask `$ROUTER` for any service say to take the job that
   * the alert names.
   */
  shell(job: string | undefined): Shell {
    const urls = [...this.#services].map(
      ([name, { url }]) =>
        [name === 'consent-projector' ? 'PROJECTOR' : name.toUpperCase(), url] as const,
    );
    const named = [...this.#services].find(([name]) => name === job)?.[1].url;
    return {
      cwd: this.deployment.folder,
      env: {
        PATH: `${join(this.deployment.folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        HOME: this.deployment.folder,
        ...defined({ NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }),
        ...Object.fromEntries(urls),
        ...defined({ ROUTER: named }),
        RESIDENCY_METRICS_URLS: urls.map(([, url]) => url).join(','),
      },
    };
  }

  async close(): Promise<void> {
    await this.flow.close();
    await this.watch.close();
    await this.prometheus.close();
    await this.deployment.close();
    await this.stack.close();
  }
}

function targets(services: ReadonlyMap<ServiceName, ServiceProcess>): Targets {
  return Object.fromEntries([...services].map(([name, { url }]) => [name, [new URL(url).host]]));
}

async function commandOnPath({ folder }: Deployment): Promise<void> {
  await mkdir(join(folder, 'bin'));
  await writeFile(
    join(folder, 'bin', 'residency'),
    `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${CLI}' "$@"\n`,
    { mode: 0o755 },
  );
}
