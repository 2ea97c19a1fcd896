import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack } from '../../stack/index.ts';
import type { ClusterEvidence } from '../cluster/cluster-evidence.ts';
import { ClusterTraffic } from '../cluster/cluster-traffic.ts';
import { addVerdict } from '../cluster/cluster-verdict.ts';
import { custodyRows } from '../cluster/custody-rows.ts';
import type { CustodyRow } from '../cluster/custody-rows.ts';
import { Disturber } from '../cluster/disturber.ts';
import { Fleet, PAID_WITHIN_MS } from '../cluster/fleet.ts';
import { FlowWatch } from '../cluster/flow-watch.ts';
import type { Standstill } from '../cluster/flow-watch.ts';
import { onDeployment } from '../cluster/on-deployment.ts';
import { Progress } from '../cluster/progress.ts';
import { Publisher } from '../cluster/publisher.ts';
import { SettlementTimes } from '../cluster/settlement-times.ts';
import { ClusterTally } from '../cluster/tally.ts';
import { rcloneCheck } from '../rclone-check.ts';
import type { RcloneCheck } from '../rclone-check.ts';
import { SeededRandom } from '../seeded-random.ts';
import { trafficConsents } from '../traffic.ts';

/** The site that goes away: a later one of its region. */
const AWAY = 'zrh-2';
const ARBITER = 'zrh-1';
const AFTER_CONSENT_MS = 2_000;
const SETTLED_WITHIN_MS = 10 * 60_000;
const LONG_STILL_MS = 10_000;
/** The outage lasts until so many records were settled in it, of which some owe a copy. */
const SETTLED_WHILE_AWAY = 40;
const LOOK_EVERY_MS = 500;
/** Submissions are prepared for so long beyond the outage. */
const MOST_BESIDE_MS = 20 * 60_000;

export const PHASES = ['before', 'away', 'paying', 'after'] as const;
export type PhaseName = (typeof PHASES)[number];

export interface SiteAwayOptions {
  readonly seed: number;
  /** How long the site is away. */
  readonly awayMs: number;
  /** How long before it, and once everything is paid. */
  readonly besideMs: number;
  /** Submissions a second, in bursts of 40. */
  readonly rate: number;
  /** `stopped`: its port is closed. `frozen`: it accepts connections and answers nothing. */
  readonly how: 'stopped' | 'frozen';
  readonly routers: number;
  readonly partitions: number;
  readonly longRunning: boolean;
  /** Ask rclone too. */
  readonly rclone: boolean;
  readonly note: (line: string) => void;
}

/** A stretch of the run. */
export interface Phase {
  readonly name: PhaseName;
  readonly seconds: number;
  readonly standstill: Standstill;
  /** From append to settlement of each record that was appended in it, milliseconds. */
  readonly waits: readonly number[];
}

export interface SiteAwayResult {
  readonly tally: ClusterTally;
  readonly phases: readonly Phase[];
  /** Copies that `stored` events say are owed. */
  readonly owed: number;
  /** Copies that the custody log says were made. */
  readonly copied: number;
  /** From the first `copied` event to the last one, milliseconds. */
  readonly payingMs: number;
  /** From the site's return until nothing was owed, milliseconds. */
  readonly untilPaidMs: number;
  /** Samples of which both sites must have a copy. */
  readonly samples: number;
  readonly rclone: RcloneCheck | undefined;
}

/**
 * Steady traffic, a later site away for a while, back until every copy is made, and everything
 * judged.
 */
export async function siteAwayRun(options: SiteAwayOptions): Promise<SiteAwayResult> {
  const { partitions, longRunning } = options;
  return await onDeployment(
    { brokers: 1, longRunning },
    { partitions },
    async (stack, deployment) => await runOn(stack, deployment, options),
  );
}

/** When a phase began, wall clock, and how still the flow was in it. */
interface Stretch {
  readonly name: PhaseName;
  readonly from: number;
  readonly to: number;
  readonly standstill: Standstill;
}

async function runOn(
  stack: OwnStack,
  deployment: Deployment,
  options: SiteAwayOptions,
): Promise<SiteAwayResult> {
  const { seed, awayMs, besideMs, rate, how, note } = options;
  const most = Math.ceil(((awayMs + 2 * besideMs + MOST_BESIDE_MS) / 1_000) * rate);
  const [traffic, fleet, tally, times] = [
    new ClusterTraffic(seed, most),
    new Fleet(deployment),
    new ClusterTally(),
    new SettlementTimes(),
  ];
  await deployment.log.append(trafficConsents());
  await fleet.open(options.routers);
  await sleep(AFTER_CONSENT_MS);
  const [startedAt, over] = [performance.now(), new AbortController()];
  const progress = new Progress(deployment.log, () => fleet.watch());
  const publisher = new Publisher(deployment.log, traffic, {
    ahead: Infinity,
    settled: () => progress.settled,
    due: () => Math.floor(((performance.now() - startedAt) / 1_000) * rate),
    signal: over.signal,
  });
  const flow = new FlowWatch(deployment.log, (committed) => {
    times.look(committed, Date.now());
  });
  const stretches: Stretch[] = [];
  const phase = async (name: PhaseName, work: () => Promise<unknown>): Promise<void> => {
    note(`${progress.settled} settled of ${publisher.acknowledged}; ${name}`);
    const from = Date.now();
    flow.begin();
    const told = new AbortController();
    const telling = tellStandstill(told.signal, { flow, fleet, note });
    try {
      await work();
    } finally {
      told.abort();
      await telling;
    }
    stretches.push({ name, from, to: Date.now(), standstill: flow.standstill });
  };
  const site = stack.servers.sites[AWAY];
  let untilPaidMs = NaN;
  try {
    await phase('before', async () => {
      await sleep(besideMs);
      await settledBeyond(progress, 0);
    });
    await phase('away', async () => {
      if (how === 'frozen') site.freeze();
      else await site.kill();
      const settled = progress.settled;
      await sleep(awayMs);
      // On a slow machine nothing may have been settled, and nothing owed, by now.
      await settledBeyond(progress, settled + SETTLED_WHILE_AWAY);
    });
    await phase('paying', async () => {
      const since = performance.now();
      if (how === 'frozen') site.thaw();
      else await site.start();
      if (!(await fleet.untilPaid(AbortSignal.timeout(PAID_WITHIN_MS + awayMs))))
        tally.find(seed, `copies are still owed:\n${await fleet.describe()}`);
      untilPaidMs = performance.now() - since;
    });
    await phase('after', () => sleep(besideMs));
  } finally {
    over.abort();
    await publisher.done;
    if (!(await progress.untilNothingWaits(AbortSignal.timeout(SETTLED_WITHIN_MS))))
      tally.find(seed, `not everything was settled:\n${await fleet.describe()}`);
    await flow.close();
    await progress.close();
  }
  if (!(await fleet.untilPaid(AbortSignal.timeout(PAID_WITHIN_MS))))
    tally.find(seed, `copies are still owed at the end:\n${await fleet.describe()}`);
  await fleet.close();
  const seconds = (performance.now() - startedAt) / 1_000;
  const disturber = new Disturber({ stack, deployment, fleet, random: new SeededRandom(seed) });
  tally.addRun({ seconds, published: publisher, fleet, disturber });
  const evidence = await addVerdict(
    { seed, stack, deployment, traffic, fleet, note, published: publisher.acknowledged },
    tally,
  );
  const paid = payments(evidence, await custodyRows(deployment, stack.kafka.brokers, 'zurich'));
  for (const fault of paid.faults) tally.find(seed, fault);
  const bucket = (name: typeof AWAY | typeof ARBITER) => ({
    endpoint: stack.sites[name],
    bucket: deployment.buckets[name],
  });
  const samples = evidence.objects.filter((object) => object.site === ARBITER).length;
  const rclone = options.rclone
    ? await rcloneCheck(bucket(ARBITER), bucket(AWAY), 'samples')
    : undefined;
  if (rclone?.checked === true && (rclone.equal !== samples || rclone.others.length > 0))
    tally.find(
      seed,
      `rclone: expected ${samples} equal objects, found ${rclone.equal} and ${rclone.others.slice(0, 3).join(', ')}`,
    );
  return {
    tally,
    phases: stretches.map(({ name, from, to, standstill }) => ({
      name,
      seconds: (to - from) / 1_000,
      standstill,
      waits: times.waits(evidence.intake.filter(({ at }) => at >= from && at < to)),
    })),
    ...paid,
    untilPaidMs,
    samples,
    rclone,
  };
}

async function settledBeyond(progress: Progress, records: number): Promise<void> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  while (progress.settled <= records && performance.now() < until) await sleep(LOOK_EVERY_MS);
}

/** Says once what the services say of themselves, if a partition stands still for long. */
async function tellStandstill(
  signal: AbortSignal,
  {
    flow,
    fleet,
    note,
  }: {
    readonly flow: FlowWatch;
    readonly fleet: Fleet;
    readonly note: (line: string) => void;
  },
): Promise<void> {
  while (!signal.aborted) {
    if (flow.standstill.partitionMs > LONG_STILL_MS) {
      note(`a partition stands still:\n${await fleet.describe()}`);
      return;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What was owed by the `stored` events, and what the custody log says of it. */
function payments(
  { audit }: ClusterEvidence,
  custody: readonly CustodyRow[],
): Pick<SiteAwayResult, 'owed' | 'copied' | 'payingMs'> & { readonly faults: readonly string[] } {
  const owed = audit.flatMap(({ id, data }) =>
    ((data['owed'] ?? []) as readonly string[]).map((site) => `${id} in ${site}`),
  );
  const copies = custody.filter(({ type }) => type === 'residency.sample.copied.v1');
  const made = copies.map(({ data }) => `${String(data.of)} in ${String(data.copy?.site)}`);
  const all = new Set(made);
  return {
    owed: owed.length,
    copied: all.size,
    payingMs: (copies.at(-1)?.at ?? NaN) - (copies[0]?.at ?? NaN),
    faults: [
      ...owed.filter((copy) => !all.has(copy)).map((copy) => `${copy} is owed and was not made`),
      ...(made.length === all.size ? [] : [`${made.length - all.size} copies have two events`]),
    ],
  };
}
