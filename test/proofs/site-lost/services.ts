import type { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName } from '../../running-deployment/service-process.ts';
import { Supervised } from './supervised.ts';

/** The services of one run, each under a supervisor. */
export class Services {
  readonly routers: readonly Supervised[];
  readonly custodians: readonly Supervised[];
  readonly projector: Supervised;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment, routers: number, custodians: number) {
    this.#deployment = deployment;
    this.projector = this.#start('consent-projector');
    this.routers = Array.from({ length: routers }, () => this.#start('router'));
    this.custodians = Array.from({ length: custodians }, () =>
      this.#start('custodian', { RESIDENCY_CUSTODIAN_REGION: 'zurich' }),
    );
  }

  #start(name: ServiceName, env: Readonly<Record<string, string>> = {}): Supervised {
    return new Supervised(() => this.#deployment.launch(name, env));
  }

  get all(): readonly Supervised[] {
    return [this.projector, ...this.routers, ...this.custodians];
  }

  async describe(): Promise<string> {
    return (await Promise.all(this.all.map((one) => one.describe()))).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((one) => one.stop()));
  }
}
