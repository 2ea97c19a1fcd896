import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName } from '../../running-deployment/service-process.ts';
import { Supervised } from '../site-lost/supervised.ts';

/** The services of a run, each under a supervisor. */
export class ErasureServices {
  readonly routers: readonly Supervised[];
  /** Two of Zurich, one of Moscow. */
  readonly custodians: readonly Supervised[];
  readonly projector: Supervised;
  readonly auditor: Supervised;
  readonly #deployment: Deployment;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    deployment: Deployment,
    env: Readonly<Record<string, string>>,
    registers: readonly (readonly [region: string, folder: string])[],
  ) {
    this.#deployment = deployment;
    this.#env = env;
    this.projector = this.#start('consent-projector');
    this.auditor = this.#start('auditor');
    this.routers = [this.#start('router'), this.#start('router')];
    this.custodians = registers.map(([region, folder]) =>
      this.#start('custodian', {
        RESIDENCY_CUSTODIAN_REGION: region,
        RESIDENCY_CUSTODIAN_STATE_DIR: folder,
      }),
    );
  }

  /** `env`: how routers and custodians reach the sites. */
  static async open(
    deployment: Deployment,
    env: Readonly<Record<string, string>>,
  ): Promise<ErasureServices> {
    const registers = ['zurich', 'zurich', 'moscow'].map(
      (region, nth) => [region, join(deployment.folder, `custodian-${nth}`)] as const,
    );
    for (const [, folder] of registers) await mkdir(folder);
    const services = new ErasureServices(deployment, env, registers);
    await Promise.all(services.all.map((one) => one.ready()));
    return services;
  }

  #start(name: ServiceName, env: Readonly<Record<string, string>> = {}): Supervised {
    return new Supervised(() => this.#deployment.launch(name, { ...this.#env, ...env }));
  }

  get all(): readonly Supervised[] {
    return [this.projector, this.auditor, ...this.routers, ...this.custodians];
  }

  async describe(): Promise<string> {
    return (await Promise.all(this.all.map((one) => one.describe()))).join('\n');
  }

  /** Returns what ended in a wrong way. */
  async stop(): Promise<readonly string[]> {
    await Promise.all(this.all.map((one) => one.stop()));
    return this.all.flatMap(({ endedWrongly, endedByItself }) =>
      endedWrongly === undefined ? endedByItself : [...endedByItself, endedWrongly],
    );
  }
}
