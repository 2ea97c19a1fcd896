import { toldOf } from './told.ts';
import { ageText, rateText } from './units.ts';
import type { StatusReport } from './status-report.ts';
import { counted } from '../table.ts';

/** A record waits about a second and a quarter for the views, and then for its batch. */
const USUAL_MS = 5_000;

/** Whether samples flow, where they wait and why, in one sentence. */
export function verdict(report: StatusReport): string {
  const { at, system, flow } = report;
  if (report.blind) return 'Nothing could be asked: whether samples flow can not be told.';
  if (system === undefined) return ofServices(report);
  const intake = toldOf(system.intake);
  if (intake === undefined)
    return `Whether samples flow can not be told: the intake log can not be read (${'failure' in system.intake ? system.intake.failure : ''}).`;
  const { unsettled, oldestAt } = intake;
  const draining =
    toldOf(system.control)?.mode === 'draining' ? ' The intake refuses submissions: draining.' : '';
  if (intake.lost.length > 0)
    return 'Progress is lost: records were deleted unsettled, or the log lost its end.';
  const settled = flow?.settledPerSecond ?? 0;
  if (unsettled === 0n)
    return `Nothing waits${settled > 0 ? `; ${rateText(settled)} are settled` : ''}.${draining}`;
  const age = oldestAt === undefined ? 0 : Math.max(0, at - oldestAt);
  const waiting = `${counted(Number(unsettled), 'record')} ${unsettled === 1n ? 'waits' : 'wait, the oldest'} for ${ageText(age / 1_000)}`;
  if (settled > 0) return `Samples flow: ${rateText(settled)} are settled; ${waiting}.${draining}`;
  if (age < USUAL_MS) return `Samples have just come: ${waiting}.${draining}`;
  return `Nothing is settled: ${waiting}. ${why(report)}${draining}`;
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
