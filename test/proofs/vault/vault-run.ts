import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  SAMPLE_ACCESSED,
  TOPICS,
  custodyEventIn,
  decodeAuditEvent,
  formatPosition,
} from '@residency/contracts';
import { Publisher } from '../../faults/cluster/publisher.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import { signedRequest } from '../../stack/index.ts';
import type { OwnStack, Server } from '../../stack/index.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { Supervised } from '../site-lost/supervised.ts';
import { erasedFaults } from './judge-erased.ts';
import { uuid7 } from './vault-client.ts';
import { VaultClients } from './vault-clients.ts';
import type { StoredSample } from './vault-clients.ts';
import { ANALYSIS, TOPIC, makeVault } from './vault-settings.ts';
import { VICTIMS, WAKES } from './vault-tally.ts';
import type { VaultTally, Victim } from './vault-tally.ts';
import { custodyRows, wakeAfterErasure } from './wake-after-erasure.ts';

export interface VaultRunOptions {
  readonly random: SeededRandom;
  readonly rounds: number;
  /** Accesses of one round, all at a time. */
  readonly accesses: number;
  readonly note: (line: string) => void;
}

const SAMPLES = 6;
/** Samples that are to be erased have one of these sizes: a large one is sent in many pieces. */
const ERASED_BYTES = [8 * 1024 * 1024, 4 * 1024];

/**
 * Rounds of clients that ask for samples, while services and servers are killed and frozen. Every
 * answer is judged when it arrives, by code that is not the product's.
 */
export async function vaultRun(
  stack: OwnStack,
  options: VaultRunOptions,
  tally: VaultTally,
): Promise<void> {
  const deployment = await Deployment.open(stack, {
    partitions: 1,
    env: { RESIDENCY_WATERMARK_MARGIN_MS: '100', RESIDENCY_LEDGER_INTERVAL_MS: '300' },
  });
  try {
    await new Run(stack, deployment, options, tally).run();
  } finally {
    await deployment.close();
  }
}

class Run {
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #options: VaultRunOptions;
  readonly #tally: VaultTally;
  readonly #token = randomBytes(24).toString('hex');
  readonly #ids: string[] = [];
  readonly #victims: readonly Victim[];
  #samples: readonly StoredSample[] = [];
  /** One for each round that erases one. */
  #toErase: StoredSample[] = [];
  #clients: VaultClients | undefined;
  #custodians: readonly Supervised[] = [];
  #auditor: Supervised | undefined;

  constructor(
    stack: OwnStack,
    deployment: Deployment,
    options: VaultRunOptions,
    tally: VaultTally,
  ) {
    this.#stack = stack;
    this.#deployment = deployment;
    this.#options = options;
    this.#tally = tally;
    this.#victims = victimsOf(options.random, options.rounds);
  }

  async run(): Promise<void> {
    const { note } = this.#options;
    const deployment = this.#deployment;
    const { env, verifierKey } = await makeVault(deployment, this.#token);
    await this.#store();
    this.#auditor = new Supervised(() => deployment.launch('auditor'));
    this.#custodians = [0, 1].map(() => new Supervised(() => deployment.launch('custodian', env)));
    const projector = new Supervised(() => deployment.launch('consent-projector'));
    this.#clients = new VaultClients({
      token: this.#token,
      random: this.#options.random,
      ledger: { verifierKey, read: (path) => this.#ledgerFile(path) },
      custodians: this.#custodians,
      tally: this.#tally,
    });
    const all = [this.#auditor, ...this.#custodians, projector];
    try {
      await Promise.all(all.map((one) => one.ready()));
      for (const victim of this.#victims) {
        await this.#round(victim);
        note(`${victim}: ${this.#tally.given} samples given out, ${this.#tally.answers} answers`);
      }
    } finally {
      await Promise.all(all.map((one) => one.stop()));
    }
    await this.#judgeEvents();
    for (const one of all) {
      for (const ended of [...one.endedByItself, one.endedWrongly ?? ''])
        if (ended !== '') this.#tally.find(ended);
    }
  }

  /** Some samples are stored before anything is killed. */
  async #store(): Promise<void> {
    const deployment = this.#deployment;
    const services = await Promise.all([
      deployment.start('consent-projector'),
      deployment.start('router'),
    ]);
    const publisher = new Publisher(deployment);
    const consent = await publisher.grant();
    const toErase = this.#victims.filter((victim) => victim === WAKES).length;
    const bytes = [
      ...Array.from({ length: SAMPLES }, (_, nth) => 32 + nth * 10_000),
      ...Array.from({ length: toErase }, () => this.#options.random.pick(ERASED_BYTES)),
    ].map((size) => Buffer.concat([Buffer.from('a sample, given out: '), randomBytes(size)]));
    const positions = await publisher.publish(
      bytes.map((each) => ({ country: 'CH', consent, becomes: 'stored zurich', bytes: each })),
    );
    await publisher.settled();
    const submissions = new Map<string, string>();
    for await (const { value } of deployment.log.read(TOPICS.audit, { until: 'end' })) {
      const event = decodeAuditEvent(value ?? Buffer.alloc(0));
      if (event.outcome === 'stored')
        submissions.set(formatPosition(event.position), event.data.submission);
    }
    const stored = positions.map((position, nth) => ({
      submission: submissions.get(formatPosition(position)) ?? '',
      bytes: bytes[nth] ?? Buffer.alloc(0),
    }));
    this.#samples = stored.slice(0, SAMPLES);
    this.#toErase = stored.slice(SAMPLES);
    for (const service of services) await service.stop();
  }

  async #round(victim: Victim): Promise<void> {
    const { random, accesses } = this.#options;
    const [at, forMs] = [random.below(2_500), 500 + random.below(9_000)];
    const clients = Array.from({ length: accesses }, () =>
      this.#access(random.pick(this.#samples), random.below(2_000), random.chance(0.3)),
    );
    await Promise.all([...clients, this.#disturb(victim, at, forMs)]);
    this.#tally.disturbed(victim);
  }

  async #disturb(victim: Victim, at: number, forMs: number): Promise<void> {
    await sleep(at);
    const { random } = this.#options;
    switch (victim) {
      case 'custodian':
        random.pick(this.#custodians).kill();
        return;
      case 'custodians':
        for (const one of this.#custodians) one.kill();
        return;
      case 'frozen custodian': {
        // Both, one after the other: one of them is the active one.
        for (const one of this.#custodians) {
          one.freeze();
          await sleep(forMs);
          one.thaw();
        }
        return;
      }
      case 'auditor':
        this.#auditor?.kill();
        return;
      case 'broker':
        return await bounce(this.#stack.servers.brokers[0], Math.min(forMs, 3_000));
      case 'redis':
        return await bounce(this.#stack.servers.redis, Math.min(forMs, 3_000));
      case WAKES:
        return await this.#wakeAfterErasure();
      default:
        return victim satisfies never;
    }
  }

  /** One client: it asks, and repeats itself until it has the sample. */
  async #access(sample: StoredSample, after: number, breaksOff: boolean): Promise<void> {
    await sleep(after);
    const wanted = { access: uuid7(), sample };
    this.#ids.push(wanted.access);
    const clients = this.#clients;
    if (clients === undefined || (await clients.record(wanted, ANALYSIS)) === undefined) return;
    // A download that breaks off is repeated, and stays one access.
    if (breaksOff) {
      const { random } = this.#options;
      await clients.once('GET', wanted, random.pick(this.#custodians), {
        ms: 30 + random.below(1_500),
      });
    }
    const got = await clients.untilAnswered('GET', wanted);
    if (got.status !== 200 || !got.body.equals(sample.bytes))
      this.#tally.find(`GET ${wanted.access}: ${got.status} ${got.code} ${got.body.length} bytes`);
    else this.#tally.given += 1;
  }

  async #wakeAfterErasure(): Promise<void> {
    const [clients, sample] = [this.#clients, this.#toErase.pop()];
    if (clients === undefined || sample === undefined) throw new Error('nothing to erase');
    await wakeAfterErasure(
      {
        deployment: this.#deployment,
        clients,
        random: this.#options.random,
        tally: this.#tally,
        asking: (access) => {
          this.#ids.push(access);
        },
      },
      sample,
    );
  }

  async #judgeEvents(): Promise<void> {
    const rows = await custodyRows(this.#deployment);
    for (const fault of erasedFaults(this.#clients?.arrivals ?? [], rows)) this.#tally.find(fault);
    const counts = new Map<string, number>();
    for await (const { value } of this.#deployment.log.read(TOPIC, { until: 'end' })) {
      const event = custodyEventIn(value);
      if (event?.type !== SAMPLE_ACCESSED) continue;
      const { access } = event.data;
      counts.set(access, (counts.get(access) ?? 0) + 1);
    }
    this.#tally.accesses += this.#ids.length;
    for (const id of this.#ids)
      if (counts.get(id) !== 1) this.#tally.find(`${id}: ${counts.get(id) ?? 0} events`);
    if (counts.size !== this.#ids.length)
      this.#tally.find(`${counts.size} accesses have events, ${this.#ids.length} were asked for`);
  }

  async #ledgerFile(path: string): Promise<Buffer> {
    const { endpoint, awsRegion, accessKeyId, secretAccessKey } = this.#stack.sites['zrh-1'];
    const { status, body } = await signedRequest({
      method: 'GET',
      endpoint,
      path: `/${this.#deployment.env['RESIDENCY_LEDGER_BUCKET']}/${TOPIC}/0/${path}`,
      awsRegion,
      accessKeyId,
      secretAccessKey,
    });
    if (status !== 200) throw new Error(`${path}: ${status}`);
    return body;
  }
}

async function bounce(server: Server | undefined, awayMs: number): Promise<void> {
  if (server?.pid === undefined) return;
  await server.kill();
  await sleep(awayMs);
  await server.start();
}

/** Each kind once in each seven rounds, in a chance order. */
function victimsOf(random: SeededRandom, rounds: number): readonly Victim[] {
  const victims: Victim[] = [];
  while (victims.length < rounds) victims.push(...random.sample(VICTIMS, VICTIMS.length));
  return victims.slice(0, rounds);
}
