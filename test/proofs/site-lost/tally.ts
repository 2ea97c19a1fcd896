import { guilty } from '../judgement.ts';
import { percentiles } from '../percentiles.ts';
import type { Operator } from './operator.ts';
import { LOSSES, VICTIMS } from './script.ts';
import type { Script, Victim } from './script.ts';
import type { Services } from './services.ts';
import type { Verdict } from './verdict.ts';

const MOST_FINDINGS = 40;

export interface Run {
  readonly script: Script;
  readonly seconds: number;
  readonly services: Services;
  readonly disturbed: ReadonlyMap<Victim, number>;
  readonly operator: Operator;
  readonly unknownSends: number;
  readonly verdict: Verdict;
}

/** The results of some runs. */
export class SiteLostTally {
  runs = 0;
  failedRuns = 0;
  readonly losses = counts(LOSSES);
  readonly victims: Record<Victim, number> = { ...counts(VICTIMS), 'frozen custodian': 0 };
  laterChanges = 0;
  commands = { starts: 0, killed: 0, aborted: 0 };
  acceptedLosses = 0;
  strangers = 0;
  endedByThemselves = 0;
  claims = 0;
  copied = 0;
  givenUp = 0;
  records = 0;
  objects = 0;
  unknownSends = 0;
  lost = 0;
  twice = 0;
  wrongRegion = 0;
  other = 0;
  productFindings = 0;
  seconds = 0;
  /** From the first command's start to the next `stored` event, milliseconds. */
  readonly flowMs: number[] = [];
  /** Those whose first command ended with 0. */
  readonly firstTryFlowMs: number[] = [];
  readonly findings: string[] = [];

  /** `faults`: of the run itself, besides those of the verdict. */
  add(
    { script, seconds, services, disturbed, operator, unknownSends, verdict }: Run,
    faults: number,
  ): void {
    const { judgement, flowMs } = verdict;
    this.runs += 1;
    if (faults + guilty(judgement).length + verdict.reconcileDifferences > 0) this.failedRuns += 1;
    this.seconds += seconds;
    this.unknownSends += unknownSends;
    for (const { loss } of script.changes) this.losses[loss] += 1;
    this.laterChanges += script.changes.length - 1;
    for (const [victim, count] of disturbed) this.victims[victim] += count;
    for (const [index, one] of operator.changes.entries()) {
      this.commands.starts += one.starts;
      this.commands.killed += one.killed;
      this.commands.aborted += Number(one.aborted);
      this.acceptedLosses += Number(one.acceptedLoss);
      const flow = flowMs[index] ?? Infinity;
      this.flowMs.push(flow);
      if (one.starts === 1 && !one.aborted) this.firstTryFlowMs.push(flow);
    }
    this.strangers += operator.strangers;
    this.endedByThemselves += services.all.reduce(
      (sum, { endedByItself }) => sum + endedByItself.length,
      0,
    );
    this.claims += verdict.claims;
    this.copied += verdict.copied;
    this.givenUp += verdict.givenUp;
    this.records += judgement.records;
    this.objects += judgement.objects;
    this.lost += judgement.lost.length;
    this.twice += judgement.twice.length;
    this.wrongRegion += judgement.wrongRegion.length;
    this.other += judgement.other.length + faults;
    this.productFindings += verdict.reconcileDifferences;
  }

  find(seed: number, finding: string): void {
    if (this.findings.length < MOST_FINDINGS) this.findings.push(`seed ${seed}: ${finding}`);
  }

  get rows(): readonly (readonly [string, string | number])[] {
    const { losses, victims, commands } = this;
    return [
      ['runs', this.runs],
      ['arbiters lost', this.flowMs.length],
      ['of these not the first one of their log', this.laterChanges],
      [`lost how: ${LOSSES.join(' / ')}`, LOSSES.map((loss) => losses[loss]).join(' / ')],
      [
        '`site out` started / killed / aborted',
        `${commands.starts} / ${commands.killed} / ${commands.aborted}`,
      ],
      ['changes with an accepted loss', this.acceptedLosses],
      [
        `killed or frozen: ${VICTIMS.join(' / ')}`,
        VICTIMS.map((victim) => victims[victim]).join(' / '),
      ],
      ['services that ended by themselves and were started again', this.endedByThemselves],
      ['another empty bucket, because late writes were in the first', this.strangers],
      ['records on the intake log', this.records],
      ['sends with an unknown outcome', this.unknownSends],
      ['claims', this.claims],
      ['copies made', this.copied],
      ['objects', this.objects],
      ['samples whose only copy burned, as the command said', this.givenUp],
      ['lost otherwise', this.lost],
      ['twice', this.twice],
      ['in the wrong region', this.wrongRegion],
      ['other faults', this.other],
      ['findings of `reconcile --open` and `audit fsck`', this.productFindings],
      ['runs with a fault', this.failedRuns],
      [
        'seconds from the start of `site out` to the next `stored` event, median / 90 % / longest',
        percentiles(this.flowMs),
      ],
      ['the same where the first command ended with 0', percentiles(this.firstTryFlowMs)],
      ['seconds', Math.round(this.seconds)],
    ];
  }
}

function counts<T extends string>(names: readonly T[]): Record<T, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;
}
