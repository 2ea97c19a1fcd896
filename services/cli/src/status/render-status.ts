import type { ControlState, RegionService } from '@residency/contracts';
import { inForceIn } from '@residency/observation';
import type {
  ClockFacts,
  IntakeFacts,
  Observed,
  PolicyFacts,
  Snapshot,
  ViewFacts,
} from '@residency/observation';
import { formatInstant, validPolicies } from '@residency/residency';
import { printable } from '../terminal/output.ts';
import { grouped, table } from '../terminal/table.ts';
import { resultText } from './result-text.ts';
import type { ServicesReport } from './services-report.ts';
import { unsettledOf } from './status-report.ts';
import type { StatusReport } from './status-report.ts';
import { ageText, durationText, rateText } from './units.ts';
import { verdict } from './verdict.ts';

const COLUMNS = 100;
const LABEL = 10;
const MOST_WRONG = 8;
const MOST_SERVICES = 12;

/** A screen: within 100 columns, the answer first. */
export function renderStatus(name: string, report: StatusReport): string[] {
  const { at, snapshot, services, wrong } = report;
  return [
    ...wrap(`${formatInstant(at)}  ${name}`, ''),
    ...wrap(verdict(report), ''),
    ...atMost(MOST_WRONG, wrong.map(resultText)).flatMap((one) => wrap(one, '  ! ', '    ')),
    '',
    ...(snapshot === undefined ? [] : snapshotLines(snapshot, report)),
    ...outcomeLines(services),
    ...copyLines(services),
    ...erasureLines(services),
    ...serviceTable(services),
    ...stageTable(services),
    ...siteTable(services),
    ...errorTable(services),
  ].map((line) => line.trimEnd());
}

function snapshotLines(snapshot: Snapshot, report: StatusReport): string[] {
  const { control, intake, consents, policy, clock } = snapshot;
  return [
    ...labelled('control', control, (state) => controlText(state, report.at)),
    ...labelled('flow', intake, (facts) => flowText(facts, report)),
    ...labelled('consents', consents, viewText),
    ...labelled('policy', policy, policyText),
    ...labelled('clock', clock, clockText),
  ];
}

function labelled<T>(
  label: string,
  fact: Observed<T> | undefined,
  text: (known: T) => string,
): string[] {
  if (fact === undefined) return [];
  return wrap(
    'unknown' in fact ? `not read: ${fact.unknown.code}` : text(fact.known),
    label.padEnd(LABEL),
    ' '.repeat(LABEL),
  );
}

function controlText(
  { mode, reason, since, logLevels, services = {} }: ControlState,
  at: number,
): string {
  const ago =
    since === undefined
      ? ''
      : `, since ${formatInstant(since)} (${ageText(Math.max(0, at - since) / 1_000)} ago)`;
  const levels = Object.entries(logLevels)
    .map(([service, level]) => `${service}=${level}`)
    .join(' ');
  const told = [
    `${mode}${ago}${reason === undefined ? '' : `: ${printable(reason)}`}`,
    ...Object.entries(services).flatMap(([region, service]) => serviceTexts(region, service)),
    ...(levels === '' ? [] : [`log levels ${levels}`]),
  ];
  return told.join('; ');
}

function serviceTexts(
  region: string,
  { out, retired, arbiter, closing }: RegionService,
): readonly string[] {
  const sites = [...out.keys()].filter((site) => !retired.has(site));
  const arbitrates = arbiter === undefined ? '' : `, ${printable(arbiter)} arbitrates`;
  return [
    ...(sites.length === 0
      ? []
      : [`${sites.map(printable).join(', ')} of ${printable(region)} out of service${arbitrates}`]),
    ...(retired.size === 0
      ? []
      : [`${[...retired].map(printable).join(', ')} of ${printable(region)} retired`]),
    ...(closing === undefined
      ? []
      : [
          `the arbiter of ${printable(region)} is changing from ${printable(closing.site)} to ${printable(closing.next)} since ${formatInstant(closing.since)}`,
        ]),
  ];
}

function flowText(facts: IntakeFacts, { flow }: StatusReport): string {
  const { total, worst, oldestAt } = unsettledOf(facts);
  const rates =
    flow === undefined
      ? ''
      : `appended ${rateText(flow.appendedPerSecond)}, settled ${rateText(flow.settledPerSecond)}; `;
  const most =
    worst === undefined || worst.unsettled === total
      ? ''
      : ` (partition ${worst.partition}: ${grouped(Number(worst.unsettled))})`;
  const since =
    oldestAt === undefined
      ? total === 0n
        ? ''
        : ', since when is not known'
      : `, the oldest for ${ageText(Math.max(0, facts.at - oldestAt) / 1_000)}`;
  return `${rates}unsettled ${grouped(Number(total))}${most}${since}`;
}

function viewText({ at, watermark, halted }: ViewFacts): string {
  return `${behindText(at, watermark)}${halted ? ', halted' : ''}`;
}

function behindText(at: number, watermark: number): string {
  return `${ageText(Math.max(0, at - watermark) / 1_000)} behind`;
}

function policyText(facts: PolicyFacts): string {
  const { at, watermark, versions } = facts;
  const inForce = inForceIn(facts);
  const valid = validPolicies(versions).length;
  return [
    ...(watermark === undefined ? [] : [behindText(at, watermark)]),
    `in force ${inForce === undefined ? 'none' : printable(`${inForce.id}/${inForce.version}`)}`,
    `${valid} valid version${valid === 1 ? '' : 's'}`,
  ].join('; ');
}

function clockText({ state, lastAt }: ClockFacts): string {
  const last = lastAt === 0 ? 'nothing appended yet' : `last append ${formatInstant(lastAt)}`;
  return state === 'right' ? last : `${state} of the log; ${last}`;
}

function outcomeLines({ services, outcomes }: ServicesReport): string[] {
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

function copyLines({ copies }: ServicesReport): string[] {
  if (copies === undefined) return [];
  const lacking = copies.filter(({ owed }) => owed > 0);
  return wrap(
    lacking.length === 0
      ? 'every site has its copies'
      : lacking
          .map(
            ({ site, owed, seconds }) =>
              `${site} lacks ${grouped(owed)}, the oldest for ${ageText(seconds)}`,
          )
          .join('; '),
    'copies'.padEnd(LABEL),
    ' '.repeat(LABEL),
  );
}

/** Nothing, if nothing was ordered. */
function erasureLines({ erasures = [] }: ServicesReport): string[] {
  const open = erasures.filter(({ waiting, held, seconds }) => waiting + held + seconds > 0);
  if (open.length === 0) return [];
  return wrap(
    open
      .map(
        ({ region, waiting, held, seconds }) =>
          `${region}: ${grouped(waiting)} wait${seconds === 0 ? '' : `, the oldest order for ${ageText(seconds)}`}${held === 0 ? '' : `, ${grouped(held)} on hold`}`,
      )
      .join('; '),
    'erasures'.padEnd(LABEL),
    ' '.repeat(LABEL),
  );
}

function serviceTable({ services }: ServicesReport): string[] {
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

function stageTable({ stages }: ServicesReport): string[] {
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

function siteTable({ sites }: ServicesReport): string[] {
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

function errorTable({ errors }: ServicesReport): string[] {
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
