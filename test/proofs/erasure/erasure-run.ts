import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@residency/coded-error';
import {
  ERASURE_ORDERED,
  HOLD_LIFTED,
  HOLD_PLACED,
  consentCloudEvent,
  consentEntry,
  controlEntry,
  subjectLinkCloudEvent,
  subjectLinkEntry,
} from '@residency/contracts';
import type { ControlEvent, LogEntry } from '@residency/contracts';
import { SALT } from '@residency/testkit';
import { jsonLines } from '../../e2e/residency.ts';
import { behindProxies } from '../../faults/cluster/behind-proxies.ts';
import type { BehindProxies } from '../../faults/cluster/behind-proxies.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';
import { randomCanary, seen } from '../canaries.ts';
import { missing } from '../cluster/cluster-verdict.ts';
import { Progress } from '../cluster/progress.ts';
import { sha256 } from '../on-disk.ts';
import { SeededRandom } from '../seeded-random.ts';
import { Disturber } from '../site-lost/disturber.ts';
import { keepRun } from '../site-lost/keep-run.ts';
import { disturbances } from '../site-lost/script.ts';
import type { Victim } from '../site-lost/script.ts';
import { REGION_BY_COUNTRY } from '../traffic.ts';
import { erasureEvidence, haystacks, metadataOf, ordersOf } from './erasure-evidence.ts';
import type { ErasureEvidence } from './erasure-evidence.ts';
import { ErasureServices } from './erasure-services.ts';
import { AGAIN, ErasureTraffic } from './erasure-traffic.ts';
import type { First } from './erasure-traffic.ts';
import { judgeErasures, mustBeErased, samplesOf, sitesOf, unerased } from './judge-erasures.ts';
import type { ErasureCounts } from './judge-erasures.ts';
import { remaindersIn, removeRemainder } from './store-remainders.ts';

export interface ErasureOptions {
  readonly seed: number;
  /** Samples that are sent for the first time; they come in rounds. */
  readonly samples: number;
  readonly note: (line: string) => void;
}

export interface ErasureResult {
  readonly counts: ErasureCounts;
  readonly findings: readonly string[];
  readonly found: number;
  readonly disturbed: ReadonlyMap<Victim, number>;
  /** Times that a site was away. */
  readonly away: number;
  /** Objects that a killed S3 server left beside samples that are kept; `reconcile` named each. */
  readonly remainders: number;
  /** S3 requests that failed, and those whose answer was lost. */
  readonly broken: { readonly cut: number; readonly dropped: number };
  readonly orders: number;
  readonly receipts: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** What becomes of the samples of a consent. Each round has one consent of each kind. */
const KINDS = [
  'kept',
  'withdrawn only',
  'withdrawn and ordered',
  'ordered',
  'ordered by submission',
  'ordered twice',
  'held for a while',
  'held for good',
] as const;
type Kind = (typeof KINDS)[number];
/** The first record of an identity, with the kind of the consent that it was sent under. */
type Sent = First & { readonly kind: Kind };

const VICTIMS: readonly Victim[] = [
  'router',
  'routers',
  'frozen router',
  'custodian',
  'custodians',
  'frozen custodian',
  'frozen custodian',
  'broker',
  'redis',
];
const IN_A_ROUND = 200;
const AT_ONCE = 20;
const MOST_WAITING = 200;
const DISTURBANCES = 5;
const WITHIN_MS = 9_000;
/** Samples that are erased while a site is away. */
const FEW = 5;
const SHARE_CUT = 0.02;
const SHARE_DROPPED = 0.03;
const RECEIPTS = 4;
const DONE_WITHIN_MS = 600_000;
const MOST_FINDINGS = 30;
const AT_A_TIME = 8;

/** Orders to erase while samples flow and processes are killed; then judged from outside. */
export async function erasureRun(stack: OwnStack, options: ErasureOptions): Promise<ErasureResult> {
  const deployment = await Deployment.open(stack, {
    partitions: 3,
    env: {
      RESIDENCY_WATERMARK_MARGIN_MS: '100',
      RESIDENCY_SESSION_TIMEOUT_MS: '6000',
      RESIDENCY_CUSTODIAN_INTERVAL_MS: '500',
      RESIDENCY_SITE_PATIENCE_MS: '1000',
      RESIDENCY_MAX_BATCH_RECORDS: '40',
    },
  });
  try {
    const proxies = await behindProxies(deployment);
    try {
      // Redis is reached directly: it is killed itself.
      const { RESIDENCY_REGIONS_FILE = '' } = proxies.env;
      const services = await ErasureServices.open(deployment, { RESIDENCY_REGIONS_FILE });
      const run = new Run(stack, deployment, proxies, services, options);
      try {
        return await run.run();
      } finally {
        await run.close();
      }
    } finally {
      await proxies.close();
    }
  } finally {
    await deployment.close();
  }
}

class Run {
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #proxies: BehindProxies;
  readonly #services: ErasureServices;
  readonly #options: ErasureOptions;
  readonly #random: SeededRandom;
  readonly #faultRandom: SeededRandom;
  readonly #traffic: ErasureTraffic;
  readonly #disturber: Disturber;
  readonly #progress: Progress;
  readonly #canary = randomCanary('sample');
  readonly #startedAt = performance.now();
  readonly #sent: Sent[] = [];
  readonly #broken = { cut: 0, dropped: 0 };
  readonly #findings: string[] = [];
  #published = 0;
  #orders = 0;
  #away = 0;
  #remainders = 0;
  #closed = false;

  constructor(
    stack: OwnStack,
    deployment: Deployment,
    proxies: BehindProxies,
    services: ErasureServices,
    options: ErasureOptions,
  ) {
    this.#stack = stack;
    this.#deployment = deployment;
    this.#proxies = proxies;
    this.#services = services;
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#faultRandom = new SeededRandom(options.seed + 1_000_000);
    this.#traffic = new ErasureTraffic(this.#random, this.#canary.text);
    this.#disturber = new Disturber(stack, services, this.#random);
    this.#progress = new Progress(deployment.log, async () => undefined);
  }

  async run(): Promise<ErasureResult> {
    const rounds = Math.ceil(this.#options.samples / IN_A_ROUND);
    const receipts = await this.#receipts();
    for (let round = 0; round < rounds; round += 1) await this.#round(round, rounds);
    await this.#quiet();
    await this.#eraseWithoutASite();
    await this.#untilErased();
    // Only now it is sure what becomes of them.
    await this.#publish(this.#sendAgain(Math.ceil(this.#sent.length / 5), this.#kept()));
    await this.#redrive();
    await this.#quiet();
    await this.#untilErased();
    await this.#judgeReceipts(receipts);
    await this.#untilClean();
    this.#findings.push(...(await this.#services.stop()));
    const evidence = await erasureEvidence(this.#stack, this.#deployment);
    const { counts, faults } = judgeErasures(evidence);
    this.#findings.push(
      ...faults,
      ...missing(
        this.#published,
        new Set(evidence.intake.map((row) => this.#traffic.indexOf(row))),
      ),
      ...(await this.#metadataFaults(evidence)),
      ...seen([this.#canary], await haystacks(this.#stack, this.#deployment)),
    );
    this.#note('judged');
    await this.#keep();
    return {
      counts,
      findings: this.#findings.slice(0, MOST_FINDINGS),
      found: this.#findings.length,
      disturbed: this.#disturber.done,
      away: this.#away,
      remainders: this.#remainders,
      broken: this.#broken,
      orders: this.#orders,
      receipts: receipts.length,
      rounds,
      seconds: (performance.now() - this.#startedAt) / 1_000,
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#progress.close();
    await this.#services.stop();
  }

  /** The first samples are stored and in the published ledger before anything is ordered. */
  async #receipts(): Promise<readonly Receipt[]> {
    const consents = await this.#grant();
    const some = Array.from({ length: RECEIPTS }, () => this.#first(consents, 'ordered'));
    await this.#publish(some.map((one) => this.#traffic.entry(one)));
    await this.#quiet();
    const receipts: Receipt[] = [];
    for (const [nth, { submission }] of some.entries()) {
      const name = `receipt-${nth}`;
      await this.#until(`audit prove of ${submission}`, async () =>
        this.#command('audit', 'prove', submission, '--out', name),
      );
      receipts.push({ name, submission, sha256: await this.#receiptDigest(name) });
    }
    await this.#order({ consents: [consents.ordered] });
    this.#note('receipts are made');
    return receipts;
  }

  async #round(round: number, rounds: number): Promise<void> {
    const consents = await this.#grant();
    const firsts = Array.from(
      { length: Math.min(IN_A_ROUND, this.#options.samples - round * IN_A_ROUND) },
      (_, nth) => this.#first(consents, KINDS[nth % KINDS.length] ?? 'kept'),
    );
    const earlier = this.#sent.length - firsts.length;
    const of = (kind: Kind): readonly First[] => firsts.filter((one) => one.kind === kind);
    const bySubmission = of('ordered by submission').map(({ submission }) => submission);
    const soon = bySubmission.slice(0, bySubmission.length / 4);
    // An order stands before what it names is stored.
    await this.#order({ submissions: soon });
    this.#breakCalls();
    const disturbing = this.#disturber.disturb(
      disturbances(this.#random, DISTURBANCES, WITHIN_MS, VICTIMS),
    );
    const away = this.#takeAway(round);
    const publishing = this.#publish(
      firsts.flatMap((first) => [
        this.#traffic.entry(first),
        ...(this.#random.chance(0.1) ? [this.#again(first, consents.kept)] : []),
      ]),
    );
    await sleep(1_000 + this.#random.below(2_000));
    const twice = of('ordered twice').map(({ submission }) => submission);
    const steps: (() => Promise<void>)[] = [
      () => this.#withdraw(consents['withdrawn only']),
      async () => {
        await this.#withdraw(consents['withdrawn and ordered']);
        await this.#order({ consents: [consents['withdrawn and ordered']] });
      },
      () => this.#order({ consents: [consents.ordered, consents['ordered twice']] }),
      () => this.#order({ submissions: [...bySubmission.slice(soon.length), ...twice] }),
      () => this.#holdAndOrder(consents, of('held for good')),
    ];
    for (const step of this.#random.sample(steps, steps.length)) {
      await step();
      await sleep(this.#random.below(700));
    }
    await publishing;
    await this.#publish(this.#sendAgain(Math.ceil(firsts.length / 8), consents.kept, earlier));
    await this.#order({ consents: [consents['held for a while']] });
    await this.#publish(this.#sendAgain(Math.ceil(firsts.length / 8), consents.kept));
    await Promise.all([disturbing, away]);
    this.#proxies.clear();
    for (const proxy of Object.values(this.#proxies.sites)) proxy.requests.length = 0;
    this.#note(`round ${round + 1} of ${rounds} is over`);
  }

  /** Holds come before the orders about what they name: otherwise nobody knows which is faster. */
  async #holdAndOrder(consents: Consents, held: readonly First[]): Promise<void> {
    const [forAWhile, forGood] = [randomUUID(), randomUUID()];
    const hold = (act: string, names: object): ControlEvent => ({
      type: HOLD_PLACED,
      data: { act, reason: 'a case is open', ...names },
    });
    await this.#appendControl([
      hold(forAWhile, { consents: [consents['held for a while']] }),
      hold(forGood, { consents: [consents['held for good']] }),
    ]);
    await this.#order({
      consents: [consents['held for a while'], consents['held for good']],
      submissions: held.map(({ submission }) => submission),
    });
    await sleep(this.#random.below(2_000));
    await this.#appendControl([
      { type: HOLD_LIFTED, data: { act: randomUUID(), hold: forAWhile, reason: 'it is closed' } },
    ]);
  }

  /** One order for consents, and one for submissions. */
  async #order({
    consents = [],
    submissions = [],
  }: {
    readonly consents?: readonly string[];
    readonly submissions?: readonly string[];
  }): Promise<void> {
    const before = new Date().toISOString();
    const order = (names: object): ControlEvent => ({
      type: ERASURE_ORDERED,
      data: { act: randomUUID(), reason: 'the person asked for it', ...names },
    });
    const orders = [
      ...(consents.length === 0
        ? []
        : [order({ consents: consents.map((consentId) => ({ consentId, before })) })]),
      ...(submissions.length === 0 ? [] : [order({ submissions })]),
    ];
    this.#orders += orders.length;
    await this.#appendControl(orders);
  }

  async #appendControl(events: readonly ControlEvent[]): Promise<void> {
    await this.#append(events.map((event) => controlEntry(event, randomUUID(), SALT)));
  }

  /** A site is away while samples of it are ordered: the first time the later one of Zurich. */
  async #takeAway(round: number): Promise<void> {
    const site: TestSite =
      round === 0 ? 'zrh-2' : this.#random.pick(['zrh-2', 'zrh-2', 'zrh-1', 'mow-1']);
    const server = this.#stack.servers.sites[site];
    const [isKilled, at, forMs] = [
      round === 0 || this.#random.chance(0.5),
      this.#random.below(1_500),
      3_000 + this.#random.below(5_000),
    ];
    await sleep(at);
    this.#away += 1;
    if (isKilled) await server.kill();
    else server.freeze();
    await sleep(forMs);
    if (isKilled) await server.start();
    else server.thaw();
  }

  /** A later site stays away until samples were erased without it. Nothing else is broken then. */
  async #eraseWithoutASite(): Promise<void> {
    const server = this.#stack.servers.sites['zrh-2'];
    const some = this.#sent.filter(
      ({ kind, country }) => kind === 'kept' && REGION_BY_COUNTRY[country] === 'zurich',
    );
    const before = await this.#inParts();
    this.#away += 1;
    await server.kill();
    const submissions = this.#random.sample(some, FEW).map(({ submission }) => submission);
    await this.#order({ submissions });
    await this.#until('erasures without a site', async () => {
      const now = await this.#inParts();
      return now >= before + submissions.length ? undefined : `${now - before} of them`;
    });
    await server.start();
  }

  /** How many samples were erased without one of Zurich's sites. */
  async #inParts(): Promise<number> {
    return samplesOf(await ordersOf(this.#stack, this.#deployment)).filter(
      ({ region, erased }) =>
        region === 'zurich' && erased.some(({ data }) => sitesOf(data).length === 1),
    ).length;
  }

  /** Until `clear`: some requests to the sites fail, and of some the answer is lost. */
  #breakCalls(): void {
    for (const proxy of Object.values(this.#proxies.sites)) {
      proxy.inject({
        kind: 'cut',
        times: Infinity,
        when: () => this.#counted('cut', SHARE_CUT),
      });
      proxy.inject({
        kind: 'drop-answer',
        times: Infinity,
        when: ({ method }) => method !== 'GET' && this.#counted('dropped', SHARE_DROPPED),
      });
    }
  }

  #counted(how: 'cut' | 'dropped', share: number): boolean {
    const hit = this.#faultRandom.chance(share);
    if (hit) this.#broken[how] += 1;
    return hit;
  }

  #first(consents: Consents, kind: Kind): Sent {
    const first = { ...this.#traffic.first(consents[kind]), kind };
    this.#sent.push(first);
    return first;
  }

  #kept(): string {
    return this.#sent.findLast(({ kind }) => kind === 'kept')?.consent ?? '';
  }

  /** Identities again, of the first `among` that were sent. */
  #sendAgain(count: number, kept: string, among = this.#sent.length): readonly LogEntry[] {
    return this.#random
      .sample(this.#sent.slice(0, among), count)
      .map((first) => this.#again(first, kept));
  }

  #again(first: First, kept: string): LogEntry {
    const consent = this.#random.chance(0.2) ? first.consent : kept;
    return this.#traffic.again(first, this.#random.pick(AGAIN), consent);
  }

  async #grant(): Promise<Consents> {
    const consents = Object.fromEntries(
      KINDS.map((kind) => [kind, `erasure-${randomUUID()}`]),
    ) as Consents;
    await this.#append(
      Object.values(consents).flatMap((consentId) => [
        consentEntry(
          consentCloudEvent(
            {
              kind: 'granted',
              consentId,
              purposes: ['threat-sample-sharing'],
              termsVersion: '2026-1',
            },
            envelope(),
          ),
          SALT,
        ),
        subjectLinkEntry(
          subjectLinkCloudEvent({ consentId, subject: this.#canary.text }, envelope()),
        ),
      ]),
    );
    // A record of the same millisecond would be refused.
    await sleep(20);
    return consents;
  }

  async #withdraw(consentId: string): Promise<void> {
    await this.#append([
      consentEntry(consentCloudEvent({ kind: 'withdrawn', consentId }, envelope()), SALT),
    ]);
  }

  async #publish(entries: readonly LogEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      while (this.#published - this.#progress.settled > MOST_WAITING) await sleep(50);
      const some = entries.slice(from, from + AT_ONCE);
      await this.#append(some);
      this.#published += some.length;
    }
  }

  /** What has no acknowledgement is appended again, whether it arrived or not. */
  async #append(entries: readonly LogEntry[]): Promise<void> {
    for (;;)
      try {
        await this.#deployment.log.append(entries);
        return;
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
        await sleep(200);
      }
  }

  /** Quarantined records of identities that are erased by now come back as new records. */
  async #redrive(): Promise<void> {
    await this.#until('quarantine redrive', () =>
      this.#command('quarantine', 'redrive', '--reason', 'IDENTITY_CONFLICT'),
    );
  }

  async #quiet(): Promise<void> {
    if (!(await this.#progress.untilNothingWaits(AbortSignal.timeout(DONE_WITHIN_MS))))
      await this.#giveUp('every record to be settled', 'some waiting');
  }

  async #untilErased(): Promise<void> {
    await this.#until('erasures', async () => {
      const left = unerased(samplesOf(await ordersOf(this.#stack, this.#deployment)));
      this.#note(`${left.length} are left`);
      return left.length === 0 ? undefined : `${left.length} left: ${left.slice(0, 5).join(', ')}`;
    });
    this.#note('all is erased');
  }

  async #judgeReceipts(receipts: readonly Receipt[]): Promise<void> {
    const { folder } = this.#deployment;
    const { stdout } = await this.#deployment.residency('audit', 'key', 'show', '--json');
    // Each partition has a key of its own.
    const keys = jsonLines(stdout).map((line) => String(line['key']));
    for (const { name, submission, sha256: digest } of receipts) {
      const receipt = await readFile(join(folder, name), 'utf8');
      const key = keys.find((one) => receipt.split('\n').includes(one.split('+')[0] ?? '')) ?? '';
      const wrong = await this.#command('audit', 'verify', name, '--key', key);
      if (wrong !== undefined) this.#findings.push(`the old ${name} does not verify: ${wrong}`);
      await this.#until(`audit prove of ${submission}`, () =>
        this.#command('audit', 'prove', submission, '--out', `new-${name}`),
      );
      if ((await this.#receiptDigest(name)) !== digest || !(await this.#sameLeaf(name)))
        this.#findings.push(`the record of ${name} has other bytes after the erasure`);
    }
  }

  async #receiptDigest(name: string): Promise<string> {
    const { folder } = this.#deployment;
    return sha256(
      Buffer.concat([
        await readFile(join(folder, name)),
        await readFile(join(folder, `${name}.leaf`)),
      ]),
    );
  }

  async #sameLeaf(name: string): Promise<boolean> {
    const { folder } = this.#deployment;
    const [old, now] = await Promise.all(
      [name, `new-${name}`].map((one) => readFile(join(folder, `${one}.leaf`))),
    );
    return now !== undefined && old?.equals(now) === true;
  }

  /** What the product's own `audit fsck` and `reconcile --open` find. The ledger may be behind. */
  async #untilClean(): Promise<void> {
    await this.#until('audit fsck', () => this.#command('audit', 'fsck', '--json'));
    const reconcile = ['reconcile', '--open', '--allow-also-in', '--json'];
    let { code, stdout, stderr } = await this.#deployment.residency(...reconcile);
    if (await this.#removeRemainders(stdout))
      ({ code, stdout, stderr } = await this.#deployment.residency(...reconcile));
    if (code !== 0)
      this.#findings.push(
        `reconcile ended with ${String(code)}: ${JSON.stringify(jsonLines(stdout).at(-1)?.['byCode'])} ${stdout.slice(0, 600)}${stderr.slice(-600)}`,
      );
    this.#note('reconciled');
  }

  /** Of samples that are kept; those of erased ones are the custodian's to remove. */
  async #removeRemainders(reconciled: string): Promise<boolean> {
    const samples = samplesOf(await ordersOf(this.#stack, this.#deployment));
    const erased = new Set(samples.filter(mustBeErased).map(({ submission }) => submission));
    const kept = remaindersIn(jsonLines(reconciled)).filter((one) => !erased.has(one.submission));
    for (const one of kept) await removeRemainder(this.#stack, this.#deployment, one);
    this.#remainders += kept.length;
    return kept.length > 0;
  }

  /** What a command ended with, if not with 0. */
  async #command(...args: readonly string[]): Promise<string | undefined> {
    const { code, stdout, stderr } = await this.#deployment.residency(...args);
    return code === 0
      ? undefined
      : `${args.slice(0, 2).join(' ')} ended with ${String(code)}: ${stdout.slice(-1_500)}${stderr.slice(-1_500)}`;
  }

  /** `look`: what is missing; `undefined`: nothing. */
  async #until(what: string, look: () => Promise<string | undefined>): Promise<void> {
    const deadline = performance.now() + DONE_WITHIN_MS;
    for (;;) {
      const missed = await look();
      if (missed === undefined) return;
      if (performance.now() > deadline) await this.#giveUp(what, missed);
      await sleep(500);
    }
  }

  async #giveUp(expected: string, found: string): Promise<never> {
    throw new Error(
      `Expected ${expected} in time, found ${found}\n${await this.#services.describe()}`,
    );
  }

  /** The metadata of each tombstone, by HEAD. */
  async #metadataFaults(evidence: ErasureEvidence): Promise<readonly string[]> {
    const all = samplesOf(evidence)
      .filter(mustBeErased)
      .flatMap((sample) => sample.sites.map((site) => ({ ...sample, site: site as TestSite })));
    const faults: string[] = [];
    const check = async ({
      event,
      submission,
      order,
      site,
    }: (typeof all)[number]): Promise<void> => {
      const key = `samples/${submission.slice(0, 2)}/${submission.slice(2, 4)}/${submission}`;
      const found = await metadataOf(this.#stack, this.#deployment, site, key);
      for (const [name, must] of [
        ['erased', order?.act],
        ['position', event.id],
        ['sample-sha256', event.data['sampleSha256']],
        ['country', event.data['country']],
      ] as const)
        if (found[`x-amz-meta-${name}`] !== must)
          faults.push(`${event.id}: the tombstone at ${site} has another ${name}`);
    };
    for (let from = 0; from < all.length; from += AT_A_TIME)
      await Promise.all(all.slice(from, from + AT_A_TIME).map(check));
    return faults;
  }

  /** Keeps what a failed run saw. */
  async #keep(): Promise<void> {
    if (this.#findings.length === 0) return;
    const { seed } = this.#options;
    const kept = await keepRun(this.#stack, this.#deployment, `erasure-${seed}`, this.#findings);
    this.#findings.push(`seed ${seed} is kept in ${kept}`);
  }

  #note(line: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1);
    this.#options.note(`${seconds} s: ${line} (${this.#progress.settled} settled)`);
  }
}

type Consents = Readonly<Record<Kind, string>>;

interface Receipt {
  readonly name: string;
  readonly submission: string;
  /** Of the receipt and its leaf. */
  readonly sha256: string;
}

function envelope(): { readonly id: string; readonly source: string } {
  return { id: randomUUID(), source: 'urn:test:erasure' };
}
