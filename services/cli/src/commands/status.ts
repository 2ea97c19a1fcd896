import { decodeAuditEvent, outcomeSummary } from '@residency/contracts';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, describe, parseAt, parseSubmission } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { intakeOptions, isObject, openIntake } from '../intake-client.ts';
import type { IntakeOptions } from '../intake-client.ts';
import { printable } from '../output.ts';
import { startProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { refuseBoth } from '../sink.ts';
import { table } from '../table.ts';
import { withSystem } from '../with-system.ts';

type Options = Common & IntakeOptions & { readonly from?: number };

interface Status {
  readonly state: string;
  /** As the intake has them; another release may say more. */
  readonly outcomes: readonly Readonly<Partial<Record<string, unknown>>>[];
}

export function statusCommand(program: Command, session: Session, answer: Answer): void {
  intakeOptions(describe(program, 'status', 'What became of a submission. Ends with 1 where nobody knows it. A cluster has no index of submissions: --config reads the whole audit log, --from a part of it.', [
    'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
    'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --url http://127.0.0.1:8080 --json',
    'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --config cluster.env --from 2026-01-31',
  ]).argument('<submission>', 'the id `publish` printed', parseSubmission)
    .option('--from <instant>', 'with --config: it was published then or later; RFC 3339 or a date', parseAt))
    .action(answering(answer, (options: Options, submission: string) => status(session, options, submission)));
}

async function status(session: Session, options: Options, submission: string): Promise<ExitCode> {
  refuseBoth(options);
  if (options.from !== undefined && options.config === undefined) throw usage('Expected --from with --config only, found it without; a data directory and an intake have an index.');
  const { state, outcomes } = options.url === undefined ? await look(session, options, submission) : await ask(session, { ...options, url: options.url }, submission);
  if (options.json) await session.output.json({ submission, state, outcomes });
  else if (outcomes.length === 0) await session.output.line(state === 'pending' ? 'pending: it waits to be routed.' : 'unknown: no such submission, or its retention is over.');
  else await session.output.lines(table(['outcome', 'region or reason', 'at', 'position'], outcomes.map(rowOf)));
  return state === 'unknown' ? EXIT.found : EXIT.done;
}

async function look(session: Session, { from, ...where }: Options, submission: string): Promise<Status> {
  return await withSystem(session, where, async (system) => {
    const progress = startProgress(session, 'Reading audit events');
    const found = await system.findSubmission(submission, { ...(from === undefined ? {} : { from }), onProgress: (done, total) => { progress.update(done, total); } }).finally(() => { progress.stop(); });
    return { state: found.state, outcomes: found.state === 'settled' ? found.events.map((event) => ({ ...outcomeSummary(decodeAuditEvent(event)) })) : [] };
  });
}

async function ask(session: Session, options: Options & { readonly url: string }, submission: string): Promise<Status> {
  const intake = await openIntake(session, options);
  const found = await intake.get(`submissions/${submission}`);
  if (found === undefined) return { state: 'unknown', outcomes: [] };
  const outcomes = found['outcomes'];
  return { state: text(found['state']), outcomes: Array.isArray(outcomes) ? outcomes.filter((one) => isObject(one)) : [] };
}

function rowOf({ outcome, region, reason, at, position }: Status['outcomes'][number]): string[] {
  return [text(outcome), text(region ?? reason), text(at), text(position)];
}

function text(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}
