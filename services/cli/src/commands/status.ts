import { decodeAuditEvent, outcomeSummary } from '@residency/contracts';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, describe, parseAt, parseSubmission } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { demandThere } from '../demand-there.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { intakeOptions, isObject, openIntake, parseBase } from '../intake-client.ts';
import type { IntakeOptions } from '../intake-client.ts';
import { printable } from '../output.ts';
import { startProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { refuseBoth } from '../sink.ts';
import { openEmbeddedLooker } from '../status/embedded-looker.ts';
import type { Looker } from '../status/look.ts';
import { watchStatus } from '../status/watch-status.ts';
import { table } from '../table.ts';
import { withSystem } from '../with-system.ts';

type Options = Common & IntakeOptions & { readonly from?: number; readonly watch?: true };

interface Status {
  readonly state: string;
  /** As the intake has them; another release may say more. */
  readonly outcomes: readonly Readonly<Partial<Record<string, unknown>>>[];
}

export function statusCommand(program: Command, session: Session, answer: Answer): void {
  intakeOptions(
    describe(
      program,
      'status',
      [
        'Whether samples flow, where they wait and why; with a submission, what became of it.',
        '',
        'Without one it looks twice, two seconds apart: at the logs and views themselves, and at the probes and metrics of the services that RESIDENCY_METRICS_URLS or --url name. What can not be asked is a line. Ends with 1 where something is wrong (a service not ready or silent, a log or view that can not be read or is over 30 s behind, paused, no policy in force, progress lost), with 3 where nothing could be asked. --url alone asks only that service; with --data both.',
        '',
        'With one it ends with 1 where nobody knows it. A cluster has no index of submissions: --config reads the whole audit log, --from a part of it.',
      ].join('\n'),
      [
        'status --config cluster.env',
        'status --watch --config cluster.env',
        'status --data /srv/residency --url http://127.0.0.1:8080',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --url http://127.0.0.1:8080 --json',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --config cluster.env --from 2026-01-31',
      ],
    )
      .summary(
        'Whether samples flow, where they wait and why; with a submission, what became of it.',
      )
      .argument('[submission]', 'the id `publish` printed', parseSubmission)
      .option(
        '--from <instant>',
        'with a submission and --config: it was published then or later; RFC 3339 or a date',
        parseAt,
      )
      .option('--watch', 'without a submission: look again every two seconds, until Ctrl-C'),
  ).action(
    answering(answer, (options: Options, submission?: string) =>
      submission === undefined
        ? statusOfAll(session, options)
        : status(session, options, submission),
    ),
  );
}

async function statusOfAll(session: Session, options: Options): Promise<ExitCode> {
  refuseBoth(options);
  if (options.from !== undefined)
    throw usage('Expected --from with a submission only, found it without one.');
  const { json, watch, url, data, dataGiven, config } = options;
  const urls = url === undefined ? [] : [parseBase(url).href];
  const terms = { json, watch: watch === true };
  if (config !== undefined) {
    const { openClusterLooker } = await import('../cluster/cluster-looker.ts');
    const { looker, metricsUrls } = await openClusterLooker(session, config);
    return await looking(looker, () =>
      watchStatus(session, { ...terms, looker, urls: metricsUrls }),
    );
  }
  if (url !== undefined && !dataGiven) return await watchStatus(session, { ...terms, urls });
  await demandThere(options);
  const looker = await openEmbeddedLooker(data, session.now);
  return await looking(looker, () => watchStatus(session, { ...terms, looker, urls }));
}

async function looking<T>(looker: Looker, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await looker.close();
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
      ? await look(session, options, submission)
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
      table(['outcome', 'region or reason', 'at', 'position'], outcomes.map(rowOf)),
    );
  return state === 'unknown' ? EXIT.found : EXIT.done;
}

async function look(
  session: Session,
  { from, ...where }: Options,
  submission: string,
): Promise<Status> {
  return await withSystem(session, where, async (system) => {
    const progress = startProgress(session, 'Reading audit events');
    const found = await system
      .findSubmission(submission, {
        ...(from === undefined ? {} : { from }),
        onProgress: (done, total) => {
          progress.update(done, total);
        },
      })
      .finally(() => {
        progress.stop();
      });
    return {
      state: found.state,
      outcomes:
        found.state === 'settled'
          ? found.events.map((event) => ({ ...outcomeSummary(decodeAuditEvent(event)) }))
          : [],
    };
  });
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

function rowOf({ outcome, region, reason, at, position }: Status['outcomes'][number]): string[] {
  return [text(outcome), text(region ?? reason), text(at), text(position)];
}

function text(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}
