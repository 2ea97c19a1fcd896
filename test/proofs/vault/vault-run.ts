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
import { publishedEntries } from './public-ledger.ts';
import type { PublicLedger } from './public-ledger.ts';
import { VICTIMS } from './vault-tally.ts';
import type { VaultTally, Victim } from './vault-tally.ts';
import { askVault, uuid7 } from './vault-client.ts';
import type { Answer } from './vault-client.ts';
import { TOPIC, makeVault } from './vault-settings.ts';

export interface VaultRunOptions {
  readonly random: SeededRandom;
  readonly rounds: number;
  /** Accesses of one round, all at a time. */
  readonly accesses: number;
  readonly note: (line: string) => void;
}

const SAMPLES = 6;
const ANSWERED_WITHIN_MS = 240_000;

interface StoredSample {
  readonly submission: string;
  readonly bytes: Buffer;
}

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
  #samples: readonly StoredSample[] = [];
  #ledger: PublicLedger | undefined;
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
  }

  async run(): Promise<void> {
    const { rounds, note } = this.#options;
    const deployment = this.#deployment;
    const { env, verifierKey } = await makeVault(deployment, this.#token);
    this.#ledger = { verifierKey, read: (path) => this.#ledgerFile(path) };
    await this.#store();
    this.#auditor = new Supervised(() => deployment.launch('auditor'));
    this.#custodians = [0, 1].map(() => new Supervised(() => deployment.launch('custodian', env)));
    const projector = new Supervised(() => deployment.launch('consent-projector'));
    const all = [this.#auditor, ...this.#custodians, projector];
    try {
      await Promise.all(all.map((one) => one.ready()));
      for (let round = 0; round < rounds; round += 1) {
        await this.#round();
        note(`${this.#tally.given} samples given out, ${this.#tally.answers} answers`);
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
    const bytes = Array.from({ length: SAMPLES }, (_, nth) =>
      Buffer.concat([Buffer.from('a sample, given out: '), randomBytes(32 + nth * 10_000)]),
    );
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
    this.#samples = positions.map((position, nth) => ({
      submission: submissions.get(formatPosition(position)) ?? '',
      bytes: bytes[nth] ?? Buffer.alloc(0),
    }));
    for (const service of services) await service.stop();
  }

  async #round(): Promise<void> {
    const { random, accesses } = this.#options;
    const victim = random.pick(VICTIMS);
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
      default:
        return victim satisfies never;
    }
  }

  /** One client: it asks, and repeats itself until it has the sample. */
  async #access(sample: StoredSample, after: number, breaksOff: boolean): Promise<void> {
    await sleep(after);
    const access = uuid7();
    this.#ids.push(access);
    const body = {
      submission: sample.submission,
      purpose: 'analysis',
      reference: `ticket ${access}`,
      form: 'raw',
    };
    const put = await this.#untilAnswered('PUT', access, sample, { body });
    if (put.status !== 201) {
      this.#tally.find(`PUT ${access}: ${put.status} ${put.code}`);
      return;
    }
    // A download that breaks off is repeated, and stays one access.
    if (breaksOff) await this.#breakOff(access);
    const got = await this.#untilAnswered('GET', `${access}/sample`, sample);
    if (got.status !== 200 || !got.body.equals(sample.bytes))
      this.#tally.find(`GET ${access}: ${got.status} ${got.code} ${got.body.length} bytes`);
    else this.#tally.given += 1;
  }

  async #breakOff(access: string): Promise<void> {
    const url = this.#options.random.pick(this.#custodians).url;
    if (url === undefined) return;
    await askVault(url, 'GET', `${access}/sample`, {
      token: this.#token,
      ms: 30 + this.#options.random.below(1_500),
      arrived: (status) => this.#judgeArrival(access, status),
    }).catch(() => undefined);
  }

  async #untilAnswered(
    method: string,
    path: string,
    sample: StoredSample,
    { body }: { readonly body?: object } = {},
  ): Promise<Answer> {
    const deadline = performance.now() + ANSWERED_WITHIN_MS;
    const access = path.split('/')[0] ?? '';
    let last: Answer | undefined;
    for (let turn = this.#options.random.below(2); performance.now() < deadline; turn += 1) {
      const url = this.#custodians[turn % this.#custodians.length]?.url;
      const answer =
        url === undefined
          ? undefined
          : await askVault(url, method, path, {
              token: this.#token,
              ms: 35_000,
              ...(body === undefined ? {} : { body }),
              arrived: (status) =>
                path.endsWith('/sample') ? this.#judgeArrival(access, status) : Promise.resolve(),
            }).catch(() => undefined);
      this.#tally.answers += 1;
      if (answer !== undefined && answer.status !== 200 && answer.body.includes(sample.bytes))
        this.#tally.find(`${method} ${path}: a sample in an answer ${answer.status}`);
      if (answer !== undefined && answer.status < 500) return answer;
      last = answer ?? last;
      await sleep(150);
    }
    return last ?? { status: 0, body: Buffer.alloc(0) };
  }

  /** When a sample arrives, its access must be public already. */
  async #judgeArrival(access: string, status: number): Promise<void> {
    if (status !== 200 || this.#ledger === undefined) return;
    try {
      const shown = (await publishedEntries(this.#ledger)).filter((entry) => isOf(entry, access));
      if (shown.length === 1) this.#tally.arrivals += 1;
      else this.#tally.find(`${access}: a sample, and ${shown.length} public events`);
    } catch (error) {
      this.#tally.find(`${access}: a sample, and a ledger that does not verify: ${String(error)}`);
    }
  }

  async #judgeEvents(): Promise<void> {
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

function isOf(entry: Buffer, access: string): boolean {
  const event = custodyEventIn(entry);
  return event?.type === SAMPLE_ACCESSED && event.data.access === access;
}

async function bounce(server: Server | undefined, awayMs: number): Promise<void> {
  if (server?.pid === undefined) return;
  await server.kill();
  await sleep(awayMs);
  await server.start();
}
