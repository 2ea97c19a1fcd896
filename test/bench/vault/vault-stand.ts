import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS, decodeAuditEvent, formatPosition } from '@residency/contracts';
import { Publisher } from '../../faults/cluster/publisher.ts';
import { askVault, uuid7 } from '../../proofs/vault/vault-client.ts';
import type { Answer } from '../../proofs/vault/vault-client.ts';
import { makeVault } from '../../proofs/vault/vault-settings.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';

export const PURPOSE = 'analysis';
/** One other principal must approve. */
export const APPROVED_PURPOSE = 'approved';
/** Each may have four samples on their way. */
const PRINCIPALS = 16;
/** A client comes again after this time, as a 503 says. */
const AGAIN_MS = 2_000;
const ANSWERED_WITHIN_MS = 120_000;

export interface Given {
  readonly bytes: number;
  /** How often it was answered 503. */
  readonly again: number;
}

/** A region with two samples, and all services but a custodian and an auditor. */
export class VaultStand {
  readonly tokens = Array.from({ length: PRINCIPALS }, () => randomBytes(24).toString('hex'));
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #env: Readonly<Record<string, string>>;
  /** By the sample's place in the list of `open`. */
  readonly #submissions: readonly string[];
  #custodian: ServiceProcess | undefined;
  #auditor: ServiceProcess | undefined;

  private constructor(parts: {
    readonly stack: OwnStack;
    readonly deployment: Deployment;
    readonly env: Readonly<Record<string, string>>;
    readonly submissions: readonly string[];
  }) {
    this.#stack = parts.stack;
    this.#deployment = parts.deployment;
    this.#env = parts.env;
    this.#submissions = parts.submissions;
  }

  static async open(sizes: readonly number[], longRunning: boolean): Promise<VaultStand> {
    const stack = await openStack({ brokers: 1, redis: true, sites: true, longRunning });
    const deployment = await Deployment.open(stack, { partitions: 1 });
    try {
      const { env } = await makeVault(deployment, '');
      const submissions = await store(deployment, sizes);
      const stand = new VaultStand({ stack, deployment, env, submissions });
      await stand.#listPrincipals();
      return stand;
    } catch (error) {
      await deployment.close();
      await stack.close();
      throw error;
    }
  }

  get custodian(): ServiceProcess {
    if (this.#custodian === undefined) throw new Error('no custodian was started');
    return this.#custodian;
  }

  async #listPrincipals(): Promise<void> {
    const names = this.tokens.map((_, nth) => `analyst-${nth}`);
    const purpose = {
      principals: names,
      forms: ['raw'],
      lifetimeSeconds: 3_600,
      daily: { count: 1_000_000, bytes: Number.MAX_SAFE_INTEGER },
    };
    const purposes = [
      { ...purpose, id: PURPOSE },
      { ...purpose, id: APPROVED_PURPOSE, approvals: 1, approvers: names },
    ];
    const tokens = this.tokens.map((token, nth) => ({
      sha256: createHash('sha256').update(token).digest('hex'),
      principal: names[nth],
    }));
    const folder = join(this.#deployment.folder, 'vault');
    await writeFile(join(folder, 'purposes.json'), JSON.stringify({ purposes }));
    await writeFile(join(folder, 'tokens.json'), JSON.stringify(tokens));
  }

  /** A new custodian, and an auditor that publishes checkpoints this often. */
  async restart(intervalMs: number): Promise<void> {
    await Promise.all([this.#custodian?.stop(), this.#auditor?.stop()]);
    [this.#custodian, this.#auditor] = await Promise.all([
      this.#deployment.start('custodian', this.#env),
      this.#deployment.start('auditor', { RESIDENCY_LEDGER_INTERVAL_MS: String(intervalMs) }),
    ]);
    // What is loaded at the first access is in no figure.
    await this.get(await this.ask(0));
  }

  url(access: string): string {
    return `${this.custodian.url}/v1/accesses/${access}/sample`;
  }

  tokenOf(client: number): string {
    return this.tokens[client % PRINCIPALS] ?? '';
  }

  /** Records a new access of this client; returns its id. */
  async ask(client: number, sample = 0, purpose = PURPOSE): Promise<string> {
    const access = uuid7();
    const submission = this.#submissions[sample] ?? '';
    const body = { submission, purpose, reference: 'bench', form: 'raw' };
    await this.#done('PUT', access, client, body);
    return access;
  }

  async approve(client: number, access: string): Promise<void> {
    await this.#done('POST', `${access}/approvals`, client);
  }

  async get(access: string, client = 0): Promise<Given> {
    const { answer, again } = await this.#done('GET', `${access}/sample`, client);
    return { bytes: answer.body.length, again };
  }

  /** One answer, whatever it is. */
  async once(method: string, path: string, client: number, body?: object): Promise<Answer> {
    return await askVault(this.custodian.url, method, path, {
      token: this.tokenOf(client),
      ...(body === undefined ? {} : { body }),
    });
  }

  /** Comes again as long as the vault is unavailable. */
  async #done(
    method: string,
    path: string,
    client: number,
    body?: object,
  ): Promise<{ readonly answer: Answer; readonly again: number }> {
    const deadline = performance.now() + ANSWERED_WITHIN_MS;
    for (let again = 0; ; again += 1) {
      const answer = await this.once(method, path, client, body);
      if (answer.status < 300) return { answer, again };
      if (answer.status !== 503 || performance.now() > deadline)
        throw new Error(
          `Expected an answer of the vault, found ${answer.status} ${answer.code}:\n${this.#deployment.said()}`,
        );
      await sleep(AGAIN_MS);
    }
  }

  async close(): Promise<void> {
    await this.#deployment.close();
    await this.#stack.close();
  }
}

/** Stores one sample of each size; returns the submissions. */
async function store(deployment: Deployment, sizes: readonly number[]): Promise<readonly string[]> {
  const publisher = new Publisher(deployment);
  const consent = await publisher.grant();
  const [, router] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router'),
  ]);
  const positions = await publisher.publish(
    sizes.map((size) => ({
      country: 'CH',
      consent,
      becomes: 'stored zurich',
      bytes: randomBytes(size),
    })),
  );
  await publisher.settled();
  const submissions = new Map<string, string>();
  for await (const { value } of deployment.log.read(TOPICS.audit, { until: 'end' })) {
    const event = decodeAuditEvent(value ?? Buffer.alloc(0));
    if (event.outcome === 'stored')
      submissions.set(formatPosition(event.position), event.data.submission);
  }
  await router.stop();
  return positions.map((position) => submissions.get(formatPosition(position)) ?? '');
}
