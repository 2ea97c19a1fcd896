import { defined } from '@residency/defined';
import { decodeAuditEvent, outcomeSummary } from '@residency/contracts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { requireDataDirectory } from '../opening/require-data-directory.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { isObject } from '../http/json-object.ts';
import { openIntake, parseIntakeUrl } from '../publishing/intake-client.ts';
import type { IntakeOptions } from '../publishing/intake-options.ts';
import { printable } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import type { Session } from '../terminal/session.ts';
import { refuseBoth } from '../publishing/sink.ts';
import { openEmbeddedProbe } from '../probing/embedded-probe.ts';
import type { Probe } from '../probing/probe.ts';
import { watchStatus } from './watch-status.ts';
import { table } from '../terminal/table.ts';
import { whereaboutsText } from '../system/whereabouts.ts';
import type { ErasedNow, LostNow } from '../system/whereabouts.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';

type Options = Common & IntakeOptions & { readonly from?: number; readonly watch?: true };

interface Status {
  readonly state: string;
  /** As the intake has them; another release may say more. */
  readonly outcomes: readonly Readonly<Partial<Record<string, unknown>>>[];
}

export async function statusOf(
  session: Session,
  options: Options,
  submission?: string,
): Promise<ExitCode> {
  return submission === undefined
    ? await statusOfAll(session, options)
    : await status(session, options, submission);
}

async function statusOfAll(session: Session, options: Options): Promise<ExitCode> {
  refuseBoth(options);
  if (options.from !== undefined)
    throw usage('Expected --from with a submission only, found it without one.');
  const { json, watch, url, data, dataGiven, config } = options;
  const urls = url === undefined ? [] : [parseIntakeUrl(url).href];
  const common = { json, watch: watch === true };
  if (config !== undefined) {
    const { openClusterProbe } = await import('../probing/cluster-probe.ts');
    const { probe, metricsUrls } = await openClusterProbe(session, config);
    return await closing(probe, () =>
      watchStatus(session, { ...common, probe, urls: metricsUrls }),
    );
  }
  if (url !== undefined && !dataGiven) return await watchStatus(session, { ...common, urls });
  await requireDataDirectory(options);
  const probe = await openEmbeddedProbe(data, session.now);
  return await closing(probe, () => watchStatus(session, { ...common, probe, urls }));
}

async function closing<T>(probe: Probe, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await probe.close();
  }
}

async function status(session: Session, options: Options, submission: string): Promise<ExitCode> {
  refuseBoth(options);
  if (options.watch === true)
    throw usage('Expected --watch without a submission, found it with one.');
  if (options.from !== undefined && options.config === undefined)
    throw usage(
      'Expected --from with --config only, found it without; a data directory and an intake have an index.',
    );
  const { state, outcomes } =
    options.url === undefined
      ? await findIn(session, options, submission)
      : await ask(session, { ...options, url: options.url }, submission);
  if (options.json) await session.output.json({ submission, state, outcomes });
  else if (outcomes.length === 0)
    await session.output.line(
      state === 'pending'
        ? 'pending: it waits to be routed.'
        : 'unknown: no such submission, or its retention is over.',
    );
  else
    await session.output.lines(
      table(['outcome', 'region or reason', 'at', 'position', 'sites', 'of'], outcomes.map(rowOf)),
    );
  return state === 'unknown' ? EXIT.found : EXIT.done;
}

async function findIn(
  session: Session,
  { from, ...where }: Options,
  submission: string,
): Promise<Status> {
  return await withSystem(session, where, async (system) => {
    const progress = startProgress(session, 'Reading audit events');
    const found = await system
      .findSubmission(submission, {
        ...defined({ from }),
        onProgress: (done, total) => {
          progress.update(done, total);
        },
      })
      .finally(() => {
        progress.stop();
      });
    return {
      state: found.state,
      outcomes: found.state === 'settled' ? await outcomesOf(session, system, found.events) : [],
    };
  });
}

/** With the sites that have a stored sample now, and those that owe a copy. */
async function outcomesOf(
  session: Session,
  system: System,
  values: readonly Buffer[],
): Promise<Status['outcomes']> {
  const events = values.map((value) => decodeAuditEvent(value));
  const stored = events.filter((event) => event.outcome === 'stored');
  const regions = new Set(stored.map(({ data }) => data.decision.region));
  const holdings =
    regions.size === 0
      ? undefined
      : await (await import('../system/holdings.ts')).Holdings.open(session, system, regions);
  return events.map((event) => ({
    ...outcomeSummary(event),
    ...(event.outcome === 'stored' ? holdings?.whereabouts(event) : {}),
  }));
}

async function ask(
  session: Session,
  options: Options & { readonly url: string },
  submission: string,
): Promise<Status> {
  const intake = await openIntake(session, options);
  const found = await intake.get(`submissions/${submission}`);
  if (found === undefined) return { state: 'unknown', outcomes: [] };
  const outcomes = found['outcomes'];
  return {
    state: text(found['state']),
    outcomes: Array.isArray(outcomes) ? outcomes.filter((one) => isObject(one)) : [],
  };
}

function rowOf({
  outcome,
  region,
  reason,
  at,
  position,
  sites,
  owed,
  erased,
  lost,
  of,
}: Status['outcomes'][number]): string[] {
  return [
    text(outcome),
    text(region ?? reason),
    text(at),
    text(position),
    Array.isArray(sites) && Array.isArray(owed)
      ? printable(
          whereaboutsText({
            sites: sites.map(String),
            owed: owed.map(String),
            ...defined({ erased: erasedNow(erased), lost: lostNow(lost) }),
          }),
        )
      : '',
    text(of),
  ];
}

function lostNow(lost: unknown): LostNow | undefined {
  return isObject(lost) ? { order: text(lost['order']), at: text(lost['at']) } : undefined;
}

function erasedNow(erased: unknown): ErasedNow | undefined {
  if (!isObject(erased)) return undefined;
  const { order, at, sites } = erased;
  return {
    order: text(order),
    at: text(at),
    sites: Array.isArray(sites) ? sites.map(String) : [],
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}
