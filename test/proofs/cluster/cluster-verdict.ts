import type { Deployment } from '../../running-deployment/deployment.ts';
import type { Finished } from '../../e2e/residency.ts';
import type { OwnStack } from '../../stack/index.ts';
import { judge } from '../judgement.ts';
import type { Judgement } from '../judgement.ts';
import { adjudicate } from './adjudication.ts';
import { clusterEvidence } from './cluster-evidence.ts';
import type { ClusterEvidence } from './cluster-evidence.ts';
import type { ClusterTraffic } from './cluster-traffic.ts';
import type { Fleet } from './fleet.ts';
import type { ClusterTally } from './tally.ts';

/** What was sent, and what must become of it. */
export type JudgedTraffic = Pick<ClusterTraffic, 'size' | 'indexOf' | 'expectation'>;

export interface Judged {
  readonly seed: number;
  readonly stack: OwnStack;
  readonly deployment: Deployment;
  readonly traffic: JudgedTraffic;
  readonly fleet: Fleet;
  readonly note: (line: string) => void;
  /** The number of acknowledged submissions, from the first on; absent: all. */
  readonly published?: number;
}

/**
 * Judges a deployment whose services have ended, and adds the faults to `tally`. Returns what it
 * judged by.
 */
export async function addVerdict(
  { seed, stack, deployment, traffic, fleet, note, published = traffic.size }: Judged,
  tally: ClusterTally,
): Promise<ClusterEvidence> {
  const evidence = await clusterEvidence(stack, deployment);
  const judgement = judge(evidence, (row) => traffic.expectation(row, evidence.versions));
  const present = new Set(evidence.intake.map((row) => traffic.indexOf(row)));
  tally.repeats += evidence.intake.length - present.size;
  tally.aborted += evidence.aborted;
  tally.addJudgement(
    seed,
    withMore(judgement, {
      lost: missing(published, present),
      other: [...fleet.findings, ...topicFaults(evidence)],
    }),
  );
  const { differences, decidedUnder } = adjudicate(
    evidence.intake,
    evidence.audit,
    evidence.versions,
  );
  tally.adjudicationDifferences += differences.length;
  for (const difference of differences) tally.find(seed, `adjudication: ${difference}`);
  for (const [version, count] of decidedUnder)
    tally.decidedUnder.set(version, (tally.decidedUnder.get(version) ?? 0) + count);
  note('judged');
  await addReconciliation(seed, deployment, tally);
  note('reconciled');
  return evidence;
}

/** Acknowledged records that are not on the log. */
export function missing(acknowledged: number, present: ReadonlySet<number>): readonly string[] {
  return Array.from({ length: acknowledged }, (_, index) => index)
    .filter((index) => !present.has(index))
    .map((index) => `record ${index} was acknowledged and is not on the log`);
}

export function withMore(judgement: Judgement, more: Pick<Judgement, 'lost' | 'other'>): Judgement {
  return {
    ...judgement,
    lost: [...judgement.lost, ...more.lost],
    other: [...judgement.other, ...more.other],
  };
}

/** Events and quarantine pointers that are not where they must be. */
export function topicFaults(evidence: ClusterEvidence): readonly string[] {
  return [...misplaced(evidence), ...pointerFaults(evidence)];
}

/** An audit event must be in the partition with its record's number. */
function misplaced({ auditPartitions }: ClusterEvidence): readonly string[] {
  return auditPartitions
    .filter(({ partition, event }) => partition !== event.partition)
    .map(({ partition, event }) => `${event.id} has its event in partition ${partition}`);
}

/** Each quarantined record must have one pointer, because both are settled together. */
function pointerFaults({ audit, quarantined }: ClusterEvidence): readonly string[] {
  const must = new Set(
    audit.filter(({ outcome }) => outcome === 'quarantined').map(({ id }) => id),
  );
  const pointers = new Set(quarantined);
  return [
    ...[...must]
      .filter((position) => !pointers.has(position))
      .map((position) => `${position} was quarantined without a pointer`),
    ...quarantined
      .filter((position) => !must.has(position))
      .map((position) => `${position} has a pointer and was not quarantined`),
    ...(quarantined.length === pointers.size
      ? []
      : [`${quarantined.length - pointers.size} quarantine pointers stand there twice`]),
  ];
}

async function addReconciliation(
  seed: number,
  deployment: Deployment,
  tally: ClusterTally,
): Promise<void> {
  addReconciled(
    seed,
    await deployment.residency('reconcile', '--open', '--allow-also-in', '--json'),
    tally,
  );
}

/** What `reconcile --open --json` ended with. */
export function addReconciled(
  seed: number,
  { code, stdout, stderr }: Finished,
  tally: Pick<ClusterTally, 'reconcileDifferences' | 'find'>,
): void {
  if (code === 0) return;
  const { differences = 1 } = JSON.parse(stdout.trimEnd().split('\n').at(-1) || '{}') as {
    readonly differences?: number;
  };
  tally.reconcileDifferences += differences;
  tally.find(
    seed,
    `reconcile ended with ${String(code)}: ${stdout.slice(0, 2_000)}\n${stderr.slice(-2_000)}`,
  );
}
