import type { ControlState } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { printable } from '../output.ts';
import { grouped, table } from '../table.ts';
import type { IntakeLook, PolicyLook, SystemLook, ViewLook } from './look.ts';
import type { ServicesLook } from './services-look.ts';
import type { StatusReport } from './status-report.ts';
import type { Told } from './told.ts';
import { ageText, durationText, rateText } from './units.ts';
import { verdict } from './verdict.ts';

const COLUMNS = 100;
const LABEL = 10;
const MOST_WRONG = 8;
const MOST_SERVICES = 12;

/** A screen: within 100 columns, the answer first. */
export function renderStatus(name: string, report: StatusReport): string[] {
  const { at, system, services, wrong } = report;
  return [
    ...wrap(`${formatInstant(at)}  ${name}`, ''),
    ...wrap(verdict(report), ''),
    ...atMost(MOST_WRONG, wrong).flatMap((one) => wrap(one, '  ! ', '    ')),
    '',
    ...(system === undefined ? [] : systemLines(system, report)),
    ...outcomeLines(services),
    ...serviceTable(services),
    ...stageTable(services),
    ...siteTable(services),
    ...errorTable(services),
  ].map((line) => line.trimEnd());
}

function systemLines(
  { control, intake, consents, policy }: SystemLook,
  report: StatusReport,
): string[] {
  return [
    ...labelled('control', control, (state) => controlText(state, report.at)),
    ...labelled('flow', intake, (look) => flowText(look, report)),
    ...(consents === undefined ? [] : labelled('consents', consents, viewText)),
    ...labelled('policy', policy, policyText),
  ];
}

function labelled<T>(label: string, one: Told<T>, text: (value: T) => string): string[] {
  return wrap(
    'failure' in one ? `not read: ${one.failure}` : text(one.told),
    label.padEnd(LABEL),
    ' '.repeat(LABEL),
  );
}

function controlText({ mode, reason, since, logLevels }: ControlState, at: number): string {
  const ago =
    since === undefined
      ? ''
      : `, since ${formatInstant(since)} (${ageText(Math.max(0, at - since) / 1_000)} ago)`;
  const levels = Object.entries(logLevels)
    .map(([service, level]) => `${service}=${level}`)
    .join(' ');
  return `${mode}${ago}${reason === undefined ? '' : `: ${printable(reason)}`}${levels === '' ? '' : `; log levels ${levels}`}`;
}

function flowText({ unsettled, worst, oldestAt }: IntakeLook, { at, flow }: StatusReport): string {
  const rates =
    flow === undefined
      ? ''
      : `appended ${rateText(flow.appendedPerSecond)}, settled ${rateText(flow.settledPerSecond)}; `;
  const most =
    worst === undefined || worst.unsettled === unsettled
      ? ''
      : ` (partition ${worst.partition}: ${grouped(Number(worst.unsettled))})`;
  return `${rates}unsettled ${grouped(Number(unsettled))}${most}${oldestAt === undefined ? '' : `, the oldest for ${ageText(Math.max(0, at - oldestAt) / 1_000)}`}`;
}

function viewText({ behindMs, halted }: ViewLook): string {
  return [
    ...(behindMs === undefined ? [] : [`${ageText(behindMs / 1_000)} behind`]),
    ...(halted === true ? ['halted'] : []),
  ].join(', ');
}

function policyText({ inForce, valid, ...view }: PolicyLook): string {
  return [
    viewText(view),
    `in force ${printable(inForce ?? 'none')}`,
    `${valid} valid version${valid === 1 ? '' : 's'}`,
  ]
    .filter((text) => text !== '')
    .join('; ');
}

function outcomeLines({ services, outcomes }: ServicesLook): string[] {
  if (services.every(({ service }) => service === undefined)) return [];
  return wrap(
    outcomes.length === 0
      ? 'none between the looks'
      : outcomes
          .map(({ outcome, place, perSecond }) => `${outcome} ${place} ${rateText(perSecond)}`)
          .join(', '),
    'outcomes'.padEnd(LABEL),
    ' '.repeat(LABEL),
  );
}

function serviceTable({ services }: ServicesLook): string[] {
  if (services.length === 0)
    return ['', 'No service was asked: name them in RESIDENCY_METRICS_URLS, or one by --url.'];
  // Those that wait come first; of many that are ready, a number is enough.
  const shown = services
    .toSorted((a, b) => Number(a.ready) - Number(b.ready))
    .slice(0, MOST_SERVICES);
  const more = services.length - shown.length;
  const rows = section(
    ['service', 'version', 'ready', 'waits for', 'address'],
    shown.map(({ service, version, ready, waits, url }) => [
      service ?? '?',
      version ?? '',
      ready ? 'yes' : 'no',
      waits.join(', '),
      url,
    ]),
  );
  return more === 0
    ? rows
    : [
        ...rows,
        `and ${more} more, ${services.filter(({ ready }) => !ready).length > MOST_SERVICES ? 'some not ready' : 'all ready'}`,
      ];
}

function stageTable({ stages }: ServicesLook): string[] {
  return section(
    ['stage', 'passages', 'p50', 'p95', 'in flight', 'last ended'],
    stages.map(({ stage, perSecond, p50, p95, inFlight, lastSeconds }) => [
      stage,
      rateText(perSecond),
      durationText(p50),
      durationText(p95),
      inFlight,
      lastSeconds === undefined ? 'never' : `${ageText(lastSeconds)} ago`,
    ]),
  );
}

function siteTable({ sites }: ServicesLook): string[] {
  return section(
    ['site', 'requests', 'failed', 'p50', 'p95', 'failures'],
    sites.map(({ site, perSecond, failedPerSecond, p50, p95, failures }) => [
      site,
      rateText(perSecond),
      rateText(failedPerSecond),
      durationText(p50),
      durationText(p95),
      failures.join(', '),
    ]),
  );
}

function errorTable({ errors }: ServicesLook): string[] {
  return section(
    ['last errors', 'service', 'ago', 'times'],
    errors.map(({ code, service, secondsAgo, times }) => [
      code,
      service,
      ageText(secondsAgo),
      times,
    ]),
  );
}

/** Preceded by an empty line; nothing where there are no rows. The last column gives way. */
function section(head: readonly string[], rows: Parameters<typeof table>[1]): string[] {
  return rows.length === 0
    ? []
    : [
        '',
        ...table(head, rows).map((line) =>
          line.length > COLUMNS ? `${line.slice(0, COLUMNS - 3)}...` : line,
        ),
      ];
}

function atMost(most: number, texts: readonly string[]): readonly string[] {
  return texts.length <= most
    ? texts
    : [...texts.slice(0, most - 1), `and ${texts.length - most + 1} more`];
}

function wrap(text: string, first: string, others = first): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    const next = line === first || line === others ? `${line}${word}` : `${line} ${word}`;
    if (next.length > COLUMNS && line !== first && line !== others) {
      lines.push(line);
      line = `${others}${word}`;
    } else line = next;
  }
  return [...lines, line].map((one) => one.slice(0, COLUMNS));
}
