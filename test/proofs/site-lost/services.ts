import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName } from '../../running-deployment/service-process.ts';
import { Supervised } from './supervised.ts';

/**
 * A later site that is slow on a busy machine would be a second fault beside an arbiter that is
 * empty and goes on to serve (docs/decisions/0036). One that is away refuses at once.
 */
const PATIENCE_MS = '60000';

/** The services of one run, each under a supervisor. */
export class Services {
  readonly routers: readonly Supervised[];
  readonly custodians: readonly Supervised[];
  readonly projector: Supervised;
  readonly #deployment: Deployment;

  constructor(deployment: Deployment, routers: number, custodians: number) {
    this.#deployment = deployment;
    this.projector = this.#start('consent-projector');
    this.routers = Array.from({ length: routers }, () =>
      this.#start('router', { RESIDENCY_SITE_PATIENCE_MS: PATIENCE_MS }),
    );
    this.custodians = Array.from({ length: custodians }, (_, nth) =>
      this.#start('custodian', {
        RESIDENCY_CUSTODIAN_REGION: 'zurich',
        RESIDENCY_CUSTODIAN_STATE_DIR: registerFolder(deployment, nth),
      }),
    );
  }

  /** Makes the custodians' folders. Commands get the first one's. */
  static async prepare(deployment: Deployment, custodians: number): Promise<void> {
    for (let nth = 0; nth < custodians; nth += 1) await mkdir(registerFolder(deployment, nth));
    await appendFile(
      join(deployment.folder, 'residency.env'),
      `RESIDENCY_CUSTODIAN_STATE_DIR=${registerFolder(deployment, 0)}\n`,
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

function registerFolder({ folder }: Deployment, nth: number): string {
  return join(folder, `custodian-${nth}`);
}
