import { defined } from '@residency/defined';
import type { CheckResult } from '@residency/observation';
import type { Common } from '../terminal/command.ts';
import { dataChecks } from './data-checks.ts';
import type { CheckOptions } from './part.ts';
import { runChecks } from './run-checks.ts';
import type { Check } from './run-checks.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';

/** The time limit of each check. */
const PATIENCE_MS = 8_000;

/** A client that waits for a missing response must not delay the end. No change is in progress. */
const ABANDON_MS = 500;

interface Opened {
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

export async function doctor(session: Session, options: Common): Promise<ExitCode> {
  const checkOptions = { patienceMs: PATIENCE_MS, signal: session.signal };
  const opened =
    options.config === undefined
      ? await dataChecks(session, options, checkOptions)
      : await clusterOf(session, options.config, checkOptions);
  const results: CheckResult[] = [];
  try {
    for await (const result of runChecks(opened.checks)) {
      checkInterrupted(session);
      results.push(result);
      await write(session, options, result);
    }
  } finally {
    await opened.close();
    session.abandonIn(ABANDON_MS);
  }
  return conclude(session, results);
}

async function clusterOf(
  session: Session,
  path: string,
  checkOptions: CheckOptions,
): Promise<Opened> {
  // Loaded only where it is asked for: three vendors' clients come with it.
  const { openClusterChecks } = await import('./cluster-checks.ts');
  return await openClusterChecks(session, path, checkOptions);
}

async function write(
  { output }: Session,
  { json }: Common,
  { check, state, found, next, code }: CheckResult,
): Promise<void> {
  if (json)
    await output.json({
      check,
      state,
      ...defined({ code }),
      found,
      ...defined({ next }),
    });
  else
    await output.line(
      `${state.padEnd(7)}  ${check.padEnd(27)}  ${printable(found)}${next === undefined ? '' : `. ${next}`}`,
    );
}

function conclude({ output }: Session, results: readonly CheckResult[]): ExitCode {
  const [wrong, unknown] = [
    results.filter(({ state }) => state === 'wrong').length,
    results.filter(({ state }) => state === 'unknown').length,
  ];
  if (wrong + unknown === 0) output.note(`All is well: ${counted(results.length, 'line')}.`);
  else output.note(`Of ${counted(results.length, 'line')} ${wrong} wrong, ${unknown} unknown.`);
  if (wrong > 0) return EXIT.found;
  return unknown > 0 ? EXIT.unreachable : EXIT.done;
}
