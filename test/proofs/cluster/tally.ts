import type { Judgement } from '../judgement.ts';
import { guilty } from '../judgement.ts';
import type { Disturber } from './disturber.ts';
import type { Fleet } from './fleet.ts';
import type { Publisher } from './publisher.ts';

const MOST_FINDINGS = 20;

export interface Run {
  readonly seconds: number;
  readonly published: Publisher;
  readonly fleet: Fleet;
  readonly disturber: Disturber;
}

/** The results of all runs. */
export class ClusterTally {
  runs = 0;
  records = 0;
  /** Additional records on the log: sent again after an unknown outcome. */
  repeats = 0;
  unknownSends = 0;
  objects = 0;
  /** Audit events of aborted transactions. No reader sees them. */
  aborted = 0;
  readonly routers = { SIGTERM: 0, SIGKILL: 0, added: 0, removed: 0 };
  projectors = 0;
  readonly brokers = { SIGTERM: 0, SIGKILL: 0 };
  brokerDownSeconds = 0;
  /** Events decided under each policy version. */
  readonly decidedUnder = new Map<number, number>();
  lost = 0;
  twice = 0;
  wrongRegion = 0;
  other = 0;
  reconcileDifferences = 0;
  adjudicationDifferences = 0;
  seconds = 0;
  /** The first faults, each with its seed. */
  readonly findings: string[] = [];

  addRun({
    seconds,
    published,
    fleet: { bounces },
    disturber: { brokers, brokerDownMs },
  }: Run): void {
    this.runs += 1;
    this.seconds += seconds;
    this.unknownSends += published.unknown;
    this.projectors += bounces.projector;
    for (const kind of ['SIGTERM', 'SIGKILL', 'added', 'removed'] as const)
      this.routers[kind] += bounces[kind];
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) this.brokers[signal] += brokers[signal];
    this.brokerDownSeconds += brokerDownMs / 1_000;
  }

  addJudgement(seed: number, judgement: Judgement): void {
    this.records += judgement.records;
    this.objects += judgement.objects;
    this.lost += judgement.lost.length;
    this.twice += judgement.twice.length;
    this.wrongRegion += judgement.wrongRegion.length;
    this.other += judgement.other.length;
    for (const finding of guilty(judgement)) this.find(seed, finding);
  }

  find(seed: number, finding: string): void {
    if (this.findings.length < MOST_FINDINGS) this.findings.push(`seed ${seed}: ${finding}`);
  }

  /** True if a promise was broken. */
  get failed(): boolean {
    return (
      this.lost +
        this.twice +
        this.wrongRegion +
        this.other +
        this.reconcileDifferences +
        this.adjudicationDifferences >
      0
    );
  }

  rows(): readonly (readonly [string, string | number])[] {
    const { routers, brokers } = this;
    return [
      ['runs', this.runs],
      ['submissions on the log', this.records],
      ['of these sent again after an unknown outcome', this.repeats],
      ['objects', this.objects],
      ['audit events in aborted transactions', this.aborted],
      ['routers bounced, SIGTERM / SIGKILL', `${routers.SIGTERM} / ${routers.SIGKILL}`],
      ['routers added / removed', `${routers.added} / ${routers.removed}`],
      ['projectors bounced', this.projectors],
      ['brokers bounced, SIGTERM / SIGKILL', `${brokers.SIGTERM} / ${brokers.SIGKILL}`],
      ['seconds with one of three brokers down', Math.round(this.brokerDownSeconds)],
      [
        'decided under policy version',
        [...this.decidedUnder]
          .sort(([a], [b]) => a - b)
          .map(([version, count]) => `${version}: ${count}`)
          .join(', '),
      ],
      ['lost', this.lost],
      ['twice', this.twice],
      ['in the wrong region', this.wrongRegion],
      ['other faults', this.other],
      ['reconcile differences', this.reconcileDifferences],
      ['adjudication differences', this.adjudicationDifferences],
      ['seconds', Math.round(this.seconds)],
      ['submissions a second', Math.round(this.records / this.seconds)],
    ];
  }
}
