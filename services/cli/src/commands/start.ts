import { createLogger, createMetrics } from '@residency/telemetry';
import { startStandalone } from '@residency/standalone';
import { Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe, parseWhole } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { reportFirstRun } from '../first-run.ts';
import { readTokens } from '../read-tokens.ts';
import type { Session } from '../session.ts';
import { VERSION } from '../version.ts';
import { refuseConfig } from '../with-system.ts';

interface Options extends Common {
  readonly host: string;
  readonly port: number;
  readonly examples?: boolean;
  readonly retain: number;
  readonly tokens?: string;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export function startCommand(program: Command, session: Session, answer: Answer): void {
  describe(program, 'start', 'Run intake and router in this process until SIGTERM or Ctrl-C.', [
    'start',
    'start --port 9000 --data /srv/residency --retain 30',
    'start --host 0.0.0.0 --tokens tokens.json',
  ])
    .option(
      '--host <address>',
      'where to listen; anything but loopback needs --tokens',
      '127.0.0.1',
    )
    .addOption(
      new Option('--port <port>', '0: any free one')
        .env('RESIDENCY_PORT')
        .default(8080)
        .argParser(parseWhole(0, 65_535)),
    )
    .option(
      '--examples',
      'route the examples where the log has no submission yet (default: with the default data directory)',
    )
    .option('--no-examples', 'leave the examples out')
    .option(
      '--retain <days>',
      'days to keep the payloads of settled records',
      parseWhole(1, 36_500),
      7,
    )
    .option(
      '--tokens <file>',
      'JSON: [{"token" or "sha256": "...", "scopes": ["submissions", "consents"]}]',
    )
    .action(answering(answer, (options: Options) => start(session, options)));
}

async function start(session: Session, options: Options): Promise<ExitCode> {
  refuseConfig(
    options,
    'on a cluster residency-router and the other services are started each by itself.',
  );
  const { output, signal } = session;
  const tokens = options.tokens === undefined ? undefined : await readTokens(options.tokens);
  const metrics = createMetrics({ service: 'standalone', version: VERSION, now: session.now });
  const running = await startStandalone({
    data: options.data,
    host: options.host,
    port: options.port,
    ...(tokens === undefined ? {} : { tokens }),
    examples: options.examples ?? !options.dataGiven,
    retainMs: options.retain * DAY_MS,
    metrics,
    logger: createLogger({ level: 'info', told: metrics.logged }),
  });
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener(
    'abort',
    () => {
      stopped.resolve();
    },
    { once: true },
  );
  if (signal.aborted) stopped.resolve();
  try {
    if (options.json) await output.json({ url: running.url });
    else await output.line(`Listening on ${running.url} (data directory: ${running.data.path})`);
    await Promise.race([
      stopped.promise,
      running.ended,
      running
        .firstRun()
        .then((routed) => reportFirstRun(session, options.json, running.data, routed)),
    ]);
    await Promise.race([stopped.promise, running.ended]);
  } finally {
    await running.stop();
  }
  return EXIT.done;
}
