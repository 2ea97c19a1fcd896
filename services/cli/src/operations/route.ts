import { defined } from '@residency/defined';
import { codeOf, hasCode } from '@residency/coded-error';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import {
  Withdrawals,
  bringLedgersUpToDate,
  intakeExtent,
  openRouter,
  payOnce,
} from '@residency/standalone';
import type { DataDirectory, EmbeddedRouter, PaidDebts } from '@residency/standalone';
import type { Common } from '../terminal/command.ts';
import { EXIT, exitCodeOf } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import { RunSummary } from './run-summary.ts';
import { PassedOver } from '../system/passed-over.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';
import { withData } from '../opening/with-data.ts';
import { refuseConfig } from '../opening/with-system.ts';

interface Options extends Common {
  readonly retain: number;
  readonly onWithdrawal: 'keep' | 'erase';
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export async function routeOnce(session: Session, options: Options): Promise<ExitCode> {
  refuseConfig(options, 'on a cluster the service residency-router routes.');
  return await withData(options, (data) => route(session, options, data));
}

async function route(
  session: Session,
  { json, retain, onWithdrawal }: Options,
  data: DataDirectory,
): Promise<ExitCode> {
  const progress = startProgress(session, 'Routing submissions');
  const { next, end } = await intakeExtent(data.log);
  const waiting = Number(end - next);
  let routed = 0;
  const router = await openRouter(data, {
    signal: session.signal,
    onAway: (site, error) => {
      session.output.note(
        `Site ${printable(site)} is owed its copies: ${error instanceof Error ? error.message : 'it cannot be reached'} (${String(codeOf(error))})`,
      );
    },
    unkept: () => {
      session.output.note(
        `No checkpoint of the ledger was kept apart in ${printable(data.checkpoints)}, so a restored older copy of the data directory cannot be detected. The newest one is kept from now on.`,
      );
    },
  });
  let blocked: Blocked | undefined;
  let refused: Error | undefined;
  let paid: PaidDebts = { copied: 0, owed: 0 };
  const summary = new RunSummary();
  try {
    // Under the lock nobody else settles: what is appended from here on is this run's.
    const from = await data.log.end(TOPICS.audit);
    const started = performance.now();
    blocked = await router.run({
      until: 'end',
      signal: session.signal,
      settled: ({ settlements }) => {
        progress.update((routed += settlements.length), waiting);
      },
    });
    summary.seconds = (performance.now() - started) / 1_000;
    for await (const record of data.log.read(TOPICS.audit, { from })) {
      // What is none, the ledger's check counts.
      const event = new PassedOver().read(record, decodeAuditEvent);
      if (event !== undefined) summary.add(event);
    }
    const debts = await payDebts(session, data, { router, onWithdrawal });
    ({ paid } = debts);
    refused = (await growLedger(session, data)) ?? debts.refused;
  } finally {
    progress.stop();
    await router.release();
  }
  await report(session, json, summary, paid, blocked);
  if (refused !== undefined)
    session.output.note(`residency: ${refused.message} (${String(codeOf(refused))})`);
  if (!session.signal.aborted) await dropExpired(session, data, retain);
  return refused !== undefined && !session.signal.aborted
    ? exitCodeOf(refused)
    : codeOfRun(session, summary, blocked);
}

/** The batches stay settled, even if no copy can be made. */
async function payDebts(
  { signal, output }: Session,
  data: DataDirectory,
  {
    router: { sites },
    onWithdrawal,
  }: Pick<Options, 'onWithdrawal'> & { readonly router: EmbeddedRouter },
): Promise<{ readonly paid: PaidDebts; readonly refused?: Error }> {
  try {
    if (onWithdrawal === 'erase') await new Withdrawals(data.log).order();
    const paid = await payOnce({ data, sites, note: (sentence) => output.note(sentence) }, signal);
    return { paid };
  } catch (error) {
    if (codeOf(error) === undefined || !(error instanceof Error)) throw error;
    return { paid: { copied: 0, owed: 0 }, refused: error };
  }
}

/** The batches stay settled, even if the ledger fails. */
async function growLedger(
  { signal, output }: Session,
  data: DataDirectory,
): Promise<Error | undefined> {
  let faults = 0;
  try {
    // One identity in two regions is lawful, and `reconcile` lists it.
    await bringLedgersUpToDate(data, {
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

/**
 * Without `residency start`, no other process drops expired payloads. The routed records stay
 * routed even if this fails.
 */
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
      'Expired payloads may still be on the disk, because another process reads the log. The next run tries again.',
    );
  }
}

async function report(
  { output }: Session,
  json: boolean,
  summary: RunSummary,
  { copied, owed }: PaidDebts,
  blocked: Blocked | undefined,
): Promise<void> {
  if (json)
    await output.json({
      ...summary.toJson(),
      copied,
      owed,
      ...defined({ blocked: blocked?.error.code }),
    });
  else await output.lines(summary.toLines(blocked !== undefined));
  if (!json && copied > 0) await output.line(`Copies made that were owed: ${copied}.`);
  if (owed > 0)
    output.note(
      `Copies still owed: ${owed}. A site does not answer, or a person must look: docs/runbooks/ResidencyCopiesOwed.md.`,
    );
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
