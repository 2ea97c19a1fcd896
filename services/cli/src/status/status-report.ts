import { defined } from '@residency/defined';
import { assess, knownOf, unsettledIn } from '@residency/observation';
import type { CheckResult, IntakeFacts, Observed, Snapshot } from '@residency/observation';
import type { Scrape } from '../probing/scrape.ts';
import { servicesReport } from './services-report.ts';
import type { Scrapes, ServicesReport } from './services-report.ts';

/** What the logs and views say. What services say is in their scrapes. */
type Facts = Omit<Snapshot, 'services' | 'copies' | 'erasures'>;

/** Everything that is read at one moment. `snapshot` absent: only services were asked. */
export interface Reading {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly snapshot?: Facts;
  readonly scrapes: Scrapes;
}

export interface Flow {
  readonly appendedPerSecond: number;
  readonly settledPerSecond: number;
}

export interface StatusReport {
  readonly at: number;
  readonly snapshot?: Facts;
  /** Between the two readings; absent: the intake log could not be read both times. */
  readonly flow?: Flow;
  readonly services: ServicesReport;
  /** What a person should see to: everything that is not `ok`. */
  readonly wrong: readonly CheckResult[];
  /** Nothing at all could be read. */
  readonly blind: boolean;
}

export function statusReport(before: Reading, after: Reading): StatusReport {
  const { at, snapshot, scrapes } = after;
  const flow = flowOf(knownOf(before.snapshot?.intake), knownOf(snapshot?.intake));
  const services = [...scrapes].map(([url, one]) => ({
    host: new URL(url).host,
    readiness: readinessOf(one),
  }));
  const said = servicesReport(before.scrapes, scrapes, at);
  const copies = said.copies?.map(({ site, owed, seconds }) => ({
    site,
    owed,
    forMs: seconds * 1_000,
  }));
  const erasures = said.erasures?.map(({ region, waiting, seconds }) => ({
    region,
    waiting,
    forMs: seconds * 1_000,
  }));
  return {
    at,
    services: said,
    ...defined({ snapshot, flow }),
    wrong: assess({ ...snapshot, services, ...defined({ copies, erasures }) }).filter(
      ({ state }) => state !== 'ok',
    ),
    blind: [...scrapes.values(), ...factsOf(snapshot)].every((one) => 'unknown' in one),
  };
}

function readinessOf(one: Observed<Scrape>) {
  return 'unknown' in one ? one : { known: one.known.readiness };
}

function factsOf(snapshot: Facts = {}): readonly Observed<unknown>[] {
  return Object.values(snapshot);
}

function flowOf(before: IntakeFacts | undefined, after: IntakeFacts | undefined): Flow | undefined {
  if (before === undefined || after === undefined) return undefined;
  const seconds = Math.max(0.001, (after.at - before.at) / 1_000);
  const perSecond = (count: (of: IntakeFacts) => bigint): number =>
    Math.max(0, Number(count(after) - count(before)) / seconds);
  return {
    appendedPerSecond: perSecond(({ partitions }) => sum(partitions.map(({ end }) => end))),
    settledPerSecond: perSecond(({ partitions }) => sum(partitions.map(({ next }) => next))),
  };
}

/** What of the intake log is not settled. */
export interface Unsettled {
  readonly total: bigint;
  /** The partition with most of it; absent: there is none. */
  readonly worst?: { readonly partition: number; readonly unsettled: bigint };
  /** Append time of the oldest record, and its position; absent: none, or not known. */
  readonly oldestAt?: number;
  readonly oldest?: string;
}

export function unsettledOf({ partitions }: IntakeFacts): Unsettled {
  const counts = partitions.map((one) => ({
    partition: one.partition,
    unsettled: unsettledIn(one),
  }));
  const worst = counts.toSorted((a, b) => Number(b.unsettled - a.unsettled))[0];
  const { oldestAt, oldest } =
    partitions
      .filter((one) => one.oldestAt !== undefined)
      .toSorted((a, b) => (a.oldestAt ?? 0) - (b.oldestAt ?? 0))[0] ?? {};
  return {
    total: sum(counts.map(({ unsettled }) => unsettled)),
    ...(worst === undefined || worst.unsettled === 0n ? {} : { worst }),
    ...defined({ oldestAt, oldest }),
  };
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((total, count) => total + count, 0n);
}
