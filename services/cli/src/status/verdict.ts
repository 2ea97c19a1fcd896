import { isLost, knownOf } from '@residency/observation';
import { ageText, rateText } from './units.ts';
import { unsettledOf } from './status-report.ts';
import type { StatusReport, Unsettled } from './status-report.ts';
import { counted } from '../terminal/table.ts';

/** A record waits about a second and a quarter for the views, and then for its batch. */
const USUAL_MS = 5_000;

/** Whether samples flow, where they wait and why, in one sentence. */
export function verdict(report: StatusReport): string {
  const { snapshot, flow } = report;
  if (report.blind) return 'Nothing could be asked: whether samples flow is not known.';
  if (snapshot?.intake === undefined) return ofServices(report);
  if ('unknown' in snapshot.intake)
    return `Whether samples flow is not known: the intake log can not be read (${snapshot.intake.unknown.code}).`;
  const { at, partitions } = snapshot.intake.known;
  const draining =
    knownOf(snapshot.control)?.mode === 'draining'
      ? ' The intake refuses submissions: draining.'
      : '';
  const replaced = (knownOf(snapshot.topics) ?? []).filter(({ state }) => state === 'replaced');
  if (replaced.length > 0)
    return `${replaced.map(({ topic }) => topic).join(', ')}: another topic than the one that was settled. Nothing is routed.`;
  if (partitions.some(isLost))
    return 'Progress is lost: records were deleted unsettled, or the log lost its end.';
  const unsettled = unsettledOf(snapshot.intake.known);
  const settled = flow?.settledPerSecond ?? 0;
  if (unsettled.total === 0n)
    return `Nothing waits${settled > 0 ? `; ${rateText(settled)} are settled` : ''}.${draining}`;
  const { oldestAt } = unsettled;
  const age = oldestAt === undefined ? undefined : Math.max(0, at - oldestAt);
  const waiting = waitingText(unsettled, age);
  if (settled > 0) return `Samples flow: ${rateText(settled)} are settled; ${waiting}.${draining}`;
  if (age !== undefined && age < USUAL_MS) return `Samples have just come: ${waiting}.${draining}`;
  return `Nothing is settled: ${waiting}. ${why(report)}${draining}`;
}

function waitingText({ total, oldest }: Unsettled, age: number | undefined): string {
  const since = age === undefined ? 'a time that is not known' : ageText(age / 1_000);
  return `${counted(Number(total), 'record')} ${total === 1n ? 'waits' : 'wait, the oldest'} for ${since}${oldest === undefined ? '' : `, the first at ${oldest}`}`;
}

function ofServices({ services: { services, outcomes } }: StatusReport): string {
  const settled = outcomes.reduce((sum, { perSecond }) => sum + perSecond, 0);
  const ready = services.every((one) => one.ready);
  return `${ready ? 'Ready' : 'Not ready'}; ${rateText(settled)} are settled.`;
}

function why({ wrong, services: { services } }: StatusReport): string {
  if (wrong.length > 0) return 'See below.';
  const routers = services.filter(
    ({ service }) => service === 'router' || service === 'standalone',
  ).length;
  if (routers > 0)
    return 'The routers say they are ready: see their logs, `residency log-level debug --service router`.';
  return 'No router was asked: see whether one runs, and name it to be asked.';
}
