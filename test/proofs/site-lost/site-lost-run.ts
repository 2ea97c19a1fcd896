import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from '../../running-deployment/deployment.ts';
import { ClusterTraffic } from '../cluster/cluster-traffic.ts';
import { Progress } from '../cluster/progress.ts';
import type { OwnStack } from '../../stack/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { trafficConsents } from '../traffic.ts';
import { custodyEvidence } from './custody-evidence.ts';
import { Disturber } from './disturber.ts';
import { Operator } from './operator.ts';
import { keepRun } from './keep-run.ts';
import { PacedPublisher } from './paced-publisher.ts';
import { scriptOf } from './script.ts';
import type { Change, Script } from './script.ts';
import { Services } from './services.ts';
import { SiteLoss } from './site-loss.ts';
import type { SiteLostTally } from './tally.ts';
import { verdictOf } from './verdict.ts';

export interface SiteLostOptions {
  readonly seed: number;
  /** Arbiters to be lost. */
  readonly losses: number;
  /** For each loss. */
  readonly submissions: number;
  readonly note: (line: string) => void;
}

const LOSS_AFTER_MS = 1_000;
const RUN_WITHIN_MS = 1_800_000;
const SETTLED_WITHIN_MS = 600_000;
/** Repetitions are frequent and close, so that partitions race for an identity. */
const MIX = {
  recent: 60,
  shares: { again: 0.22, otherSample: 0.16, otherCountry: 0.05, bad: 0.06 },
};

/**
 * One run: the arbiter is destroyed under load, taken out, given an empty bucket and taken in, with
 * processes killed around it; then judged into `tally`.
 */
export async function siteLostRun(
  stack: OwnStack,
  options: SiteLostOptions,
  tally: SiteLostTally,
): Promise<void> {
  const random = new SeededRandom(options.seed);
  const script = scriptOf(random, options.losses);
  const deployment = await Deployment.open(stack, {
    partitions: script.partitions,
    env: {
      RESIDENCY_WATERMARK_MARGIN_MS: '100',
      RESIDENCY_SESSION_TIMEOUT_MS: '15000',
      RESIDENCY_CUSTODIAN_INTERVAL_MS: '500',
      RESIDENCY_MAX_BATCH_RECORDS: '40',
    },
  });
  try {
    await Services.prepare(deployment, script.custodians);
    await new Run(stack, deployment, script, random, options, tally).run();
  } finally {
    await deployment.close();
  }
}

class Run {
  readonly #stack: OwnStack;
  readonly #deployment: Deployment;
  readonly #script: Script;
  readonly #options: SiteLostOptions;
  readonly #tally: SiteLostTally;
  readonly #traffic: ClusterTraffic;
  readonly #services: Services;
  readonly #disturber: Disturber;
  readonly #operator: Operator;
  readonly #progress: Progress;
  readonly #publisher: PacedPublisher;
  readonly #over = AbortSignal.timeout(RUN_WITHIN_MS);
  readonly #startedAt = performance.now();

  constructor(
    stack: OwnStack,
    deployment: Deployment,
    script: Script,
    random: SeededRandom,
    options: SiteLostOptions,
    tally: SiteLostTally,
  ) {
    this.#stack = stack;
    this.#deployment = deployment;
    this.#script = script;
    this.#options = options;
    this.#tally = tally;
    this.#traffic = new ClusterTraffic(options.seed, options.losses * options.submissions, MIX);
    this.#services = new Services(deployment, script.routers, script.custodians);
    this.#disturber = new Disturber(stack, this.#services, random);
    this.#operator = new Operator(deployment, (line) => {
      this.#note(line);
    });
    this.#progress = new Progress(deployment.log, async () => undefined);
    this.#publisher = new PacedPublisher(deployment.log, this.#traffic, this.#over);
  }

  async run(): Promise<void> {
    const { seed } = this.#options;
    await this.#deployment.log.append(trafficConsents());
    await Promise.all(this.#services.all.map((one) => one.ready()));
    this.#note('services are up');
    const publisher = this.#publisher;
    const findings: string[] = [];
    try {
      for (const [index, change] of this.#script.changes.entries()) {
        // Ended by SIGTERM, a custodian leaves a register of now; killed, it leaves an older one or none.
        if ((seed + index) % 2 === 0) for (const one of this.#services.custodians) one.restart();
        await this.#lose(change, index);
        await this.#rebuild(change, index);
        findings.push(...(await this.#operator.untilRepaired()));
        this.#note('every copy is made');
      }
      await publisher.finish();
      if (!(await this.#progress.untilNothingWaits(AbortSignal.timeout(SETTLED_WITHIN_MS))))
        findings.push(`not everything is settled:\n${await this.#services.describe()}`);
      this.#note('everything is settled');
      const { changes } = await custodyEvidence(this.#stack, this.#deployment);
      findings.push(...(await this.#operator.untilPaid(changes.at(-1)?.unheld ?? 0)));
    } catch (error) {
      findings.push(`the run failed: ${String(error)}\n${await this.#services.describe()}`);
    } finally {
      await publisher.finish();
      await this.#progress.close();
      await this.#services.stop();
    }
    findings.push(
      ...this.#services.all.flatMap(({ endedWrongly }) =>
        endedWrongly === undefined ? [] : [endedWrongly],
      ),
    );
    const verdict = await verdictOf({
      stack: this.#stack,
      deployment: this.#deployment,
      traffic: this.#traffic,
      acknowledged: publisher.acknowledged,
      changes: this.#operator.changes,
    });
    this.#note('judged');
    const all = [...findings, ...verdict.findings];
    this.#tally.add(
      {
        script: this.#script,
        seconds: (performance.now() - this.#startedAt) / 1_000,
        services: this.#services,
        disturbed: this.#disturber.done,
        operator: this.#operator,
        unknownSends: publisher.unknown,
        verdict,
      },
      findings.length,
    );
    if (all.length === 0) return;
    const kept = await keepRun(this.#stack, this.#deployment, `seed-${seed}`, all);
    for (const finding of all) this.#tally.find(seed, finding);
    this.#tally.find(seed, `script ${JSON.stringify(this.#script)}; kept in ${kept}`);
  }

  /** The arbiter is destroyed and taken out; samples flow again. */
  async #lose(change: Change, index: number): Promise<void> {
    const { site, loss, laterAway, after } = change;
    const later = this.#stack.servers.sites[site === 'zrh-1' ? 'zrh-2' : 'zrh-1'];
    if (laterAway) await later.kill();
    // A backlog behind it, so that the routers are in the middle of their work.
    this.#publish(index, after + 0.2, 0.1);
    await this.#progress.until(this.#share(index, after), this.#over);
    const disturbing = this.#disturber.disturb(change.aroundOut);
    await sleep(LOSS_AFTER_MS);
    if (laterAway) await later.start();
    await new SiteLoss(this.#stack, this.#deployment, site).destroy(loss);
    this.#note(`${site} is lost (${loss})`);
    await sleep(change.patienceMs);
    this.#publish(index, after + 0.3, 0.6 - after);
    await this.#operator.takeOut(change);
    await disturbing;
    const from = this.#progress.settled;
    await this.#progress.until(Math.min(from + 5, this.#publisher.acknowledged), this.#over);
    this.#note('samples flow');
  }

  /** An empty bucket becomes the site. */
  async #rebuild({ site, aroundIn }: Change, index: number): Promise<void> {
    const disturbing = this.#disturber.disturb(aroundIn);
    const loss = new SiteLoss(this.#stack, this.#deployment, site);
    await loss.giveEmpty();
    this.#publish(index, 0.95, 0.05);
    await this.#operator.takeIn(site, () => loss.giveEmpty());
    this.#note(`${site} is in again`);
    await disturbing;
  }

  /** Shares of the submissions of a loss: up to the first one at once, then the second one slowly. */
  #publish(index: number, at: number, slowly: number): void {
    this.#publisher.pace = {
      at: this.#share(index, at),
      slowly: Math.floor(this.#options.submissions * slowly),
    };
  }

  #share(index: number, share: number): number {
    return Math.floor(this.#options.submissions * (index + share));
  }

  #note(line: string): void {
    this.#options.note(
      `${((performance.now() - this.#startedAt) / 1_000).toFixed(1)} s: ${line} (${this.#progress?.settled ?? 0} settled)`,
    );
  }
}
