import { EXIT } from './terminal/exit-code.ts';
import { Output } from './terminal/output.ts';
import { runCommand } from './run-command.ts';
import type { Session } from './terminal/session.ts';

const { stdout, stderr, argv, env } = process;
const stop = new AbortController();
// Nobody would see the command's further output.
const output = new Output(stdout, stderr, () => {
  stop.abort();
});
const session: Session = {
  output,
  env,
  signal: stop.signal,
  now: Date.now,
  abandonIn: (ms) => {
    setTimeout(() => {
      process.exit();
    }, ms).unref();
  },
};

// Node opens a debugger at this one, which reads and changes everything in the process.
process.on('SIGUSR1', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Said twice, it is meant now; what was promised is durable all the same.
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  });
}

process.exitCode = await runCommand(session, argv.slice(2));
