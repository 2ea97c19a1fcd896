import type { Command } from 'commander';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { dataChecks } from '../doctor/data-checks.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Terms } from '../doctor/part.ts';
import { runChecks } from '../doctor/run-checks.ts';
import type { Check } from '../doctor/run-checks.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printable } from '../output.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { counted } from '../table.ts';

/** Of each check by itself. */
const PATIENCE_MS = 8_000;

export function doctorCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'doctor',
    'Look at everything a system needs, one line a check: ok, wrong or unknown, what was found and what to do. Changes nothing. Ends with 1 where something is wrong, with 3 where nothing is and something could not be looked at.',
    ['doctor', 'doctor --config cluster.env', 'doctor --config cluster.env --json'],
  ).action(answering(answer, (options: Common) => doctor(session, options)));
}

/** A client that waits for an answer that does not come must not hold up the end. Nothing is under way that changes anything. */
function endSoon(): void {
  setTimeout(() => {
    process.exit();
  }, 500).unref();
}

interface Opened {
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

async function doctor(session: Session, options: Common): Promise<ExitCode> {
  const terms = { patienceMs: PATIENCE_MS, signal: session.signal };
  const opened =
    options.config === undefined
      ? await dataChecks(session, options.data, terms)
      : await clusterOf(session, options.config, terms);
  const findings: Finding[] = [];
  try {
    for await (const finding of runChecks(opened.checks)) {
      checkInterrupted(session);
      findings.push(finding);
      await write(session, options, finding);
    }
  } finally {
    await opened.close();
    endSoon();
  }
  return conclude(session, findings);
}

async function clusterOf(session: Session, path: string, terms: Terms): Promise<Opened> {
  // Loaded only where it is asked for: three vendors' clients come with it.
  const { openClusterChecks } = await import('../doctor/open-cluster-checks.ts');
  return await openClusterChecks(session, path, terms);
}

async function write(
  { output }: Session,
  { json }: Common,
  { check, state, found, next, code }: Finding,
): Promise<void> {
  if (json)
    await output.json({
      check,
      state,
      ...(code === undefined ? {} : { code }),
      found,
      ...(next === undefined ? {} : { next }),
    });
  else
    await output.line(
      `${state.padEnd(7)}  ${check.padEnd(27)}  ${printable(found)}${next === undefined ? '' : `. ${next}`}`,
    );
}

function conclude({ output }: Session, findings: readonly Finding[]): ExitCode {
  const [wrong, unknown] = [
    findings.filter(({ state }) => state === 'wrong').length,
    findings.filter(({ state }) => state === 'unknown').length,
  ];
  if (wrong + unknown === 0) output.note(`All is well: ${counted(findings.length, 'line')}.`);
  else output.note(`Of ${counted(findings.length, 'line')} ${wrong} wrong, ${unknown} unknown.`);
  if (wrong > 0) return EXIT.found;
  return unknown > 0 ? EXIT.unreachable : EXIT.done;
}
