import { codeOf, hasCode } from '@residency/coded-error';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import { bringLedgerUpToDate, openRouter } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import type { Command } from 'commander';
import { answering, describe, parseWhole } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { startProgress } from '../progress.ts';
import { RunSummary } from '../run-summary.ts';
import type { Session } from '../session.ts';
import { counted } from '../table.ts';
import { withData } from '../with-data.ts';
import { refuseConfig } from '../with-system.ts';

interface Options extends Common {
  readonly retain: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export function routeCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'route',
    'Route everything that waits, print what became of it, and end. `residency start` goes on instead.',
    ['route --once', 'route --once --data /srv/residency --json', 'route --once --retain 30'],
  )
    .requiredOption('--once', 'end when what waited at the start is settled')
    .option(
      '--retain <days>',
      'days to keep the payloads of settled records; older ones are dropped at the end',
      parseWhole(1, 36_500),
      7,
    )
    .action(
      answering(answer, (options: Options) => {
        refuseConfig(options, 'on a cluster the service residency-router routes.');
        return withData(options.data, (data) => route(session, options, data));
      }),
    );
}

async function route(
  session: Session,
  { json, retain }: Options,
  data: DataDirectory,
): Promise<ExitCode> {
  const progress = startProgress(session, 'Routing submissions');
  const waiting = Number(
    (await data.log.end(TOPICS.samples)) - ((await data.log.committed()) ?? -1n) - 1n,
  );
  let routed = 0;
  const router = await openRouter(data, {
    until: 'end',
    signal: session.signal,
    settled: ({ settlements }) => {
      progress.update((routed += settlements.length), waiting);
    },
  });
  let blocked: Blocked | undefined;
  let refused: Error | undefined;
  const summary = new RunSummary();
  try {
    // Under the lock nobody else settles: what is appended from here on is this run's.
    const from = await data.log.end(TOPICS.audit);
    const started = performance.now();
    blocked = await router.run();
    summary.seconds = (performance.now() - started) / 1_000;
    for await (const { value } of data.log.read(TOPICS.audit, { from })) {
      if (value !== null) summary.add(decodeAuditEvent(value));
    }
    refused = await growLedger(session, data);
  } finally {
    progress.stop();
    await router.release();
  }
  await report(session, json, summary, blocked);
  if (refused !== undefined)
    session.output.note(`residency: ${refused.message} (${String(codeOf(refused))})`);
  if (!session.signal.aborted) await dropExpired(session, data, retain);
  return refused !== undefined && !session.signal.aborted
    ? exitCodeOf(refused)
    : codeOfRun(session, summary, blocked);
}

/** What was settled stays settled, whatever the ledger says to it. */
async function growLedger(
  { signal, output }: Session,
  data: DataDirectory,
): Promise<Error | undefined> {
  let faults = 0;
  try {
    // One identity in two regions is lawful, and `reconcile` lists it.
    await bringLedgerUpToDate(data, {
      signal,
      found: ({ kind }) => {
        faults += kind === 'ALSO_IN' ? 0 : 1;
      },
    });
    if (faults > 0)
      output.note(
        `${counted(faults, 'record')} of the audit log ${faults === 1 ? 'is' : 'are'} not where ${faults === 1 ? 'it' : 'they'} should be; \`residency audit replay\` lists what is wrong with it.`,
      );
    return undefined;
  } catch (error) {
    if (codeOf(error) === undefined || !(error instanceof Error)) throw error;
    return error;
  }
}

/** Without `residency start` nobody else drops them. What was routed stays so, whatever comes of this. */
async function dropExpired(
  { output, now }: Session,
  { log }: DataDirectory,
  days: number,
): Promise<void> {
  try {
    await log.dropExpired(now() - days * DAY_MS);
  } catch (error) {
    if (!hasCode(error, 'LOG_BUSY')) throw error;
    output.note(
      'Expired payloads may still stand on the disk: another process reads the log. The next run tries again.',
    );
  }
}

async function report(
  { output }: Session,
  json: boolean,
  summary: RunSummary,
  blocked: Blocked | undefined,
): Promise<void> {
  if (json)
    await output.json({
      ...summary.toJson(),
      ...(blocked === undefined ? {} : { blocked: blocked.error.code }),
    });
  else await output.lines(summary.toLines());
  if (blocked !== undefined)
    output.note(`residency: ${blocked.error.message} (${blocked.error.code})`);
}

function codeOfRun(
  { signal }: Session,
  { quarantined }: RunSummary,
  blocked: Blocked | undefined,
): ExitCode {
  if (signal.aborted) return EXIT.interrupted;
  if (blocked !== undefined) return EXIT.unreachable;
  return quarantined > 0 ? EXIT.found : EXIT.done;
}
