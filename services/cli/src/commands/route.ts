import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import { openRouter } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import type { Command } from 'commander';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { startProgress } from '../progress.ts';
import { RunSummary } from '../run-summary.ts';
import type { Session } from '../session.ts';
import { withData } from '../with-data.ts';

export function routeCommand(program: Command, session: Session, answer: Answer): void {
  describe(program, 'route', 'Route everything that waits, print what became of it, and end. `residency start` goes on instead.', [
    'route --once',
    'route --once --data /srv/residency --json',
  ]).requiredOption('--once', 'end when what waited at the start is settled')
    .action(answering(answer, (options: Common) => withData(options.data, (data) => route(session, options, data))));
}

async function route(session: Session, { json }: Common, data: DataDirectory): Promise<ExitCode> {
  const progress = startProgress(session, 'Routing submissions');
  const waiting = Number(await data.log.end(TOPICS.samples) - (await data.log.committed() ?? -1n) - 1n);
  let routed = 0;
  const router = await openRouter(data, {
    until: 'end', signal: session.signal,
    settled: ({ settlements }) => { progress.update(routed += settlements.length, waiting); },
  });
  let blocked: Blocked | undefined;
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
  } finally {
    progress.stop();
    await router.release();
  }
  await report(session, json, summary, blocked);
  return codeOf(session, summary, blocked);
}

async function report({ output }: Session, json: boolean, summary: RunSummary, blocked: Blocked | undefined): Promise<void> {
  if (json) await output.json({ ...summary.toJson(), ...(blocked === undefined ? {} : { blocked: blocked.error.code }) });
  else await output.lines(summary.toLines());
  if (blocked !== undefined) output.note(`residency: ${blocked.error.message} (${blocked.error.code})`);
}

function codeOf({ signal }: Session, { quarantined }: RunSummary, blocked: Blocked | undefined): ExitCode {
  if (signal.aborted) return EXIT.interrupted;
  if (blocked !== undefined) return EXIT.unreachable;
  return quarantined > 0 ? EXIT.found : EXIT.done;
}
