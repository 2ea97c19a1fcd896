import { defined } from '@residency/defined';
import { createLogger, createMetrics } from '@residency/telemetry';
import { GRACE_MS, runUntilStopped } from '@residency/operations';
import { startStandalone } from '@residency/standalone';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { reportFirstRun } from './first-run.ts';
import { readTokens } from '../publishing/read-tokens.ts';
import type { Session } from '../terminal/session.ts';
import { VERSION } from '../terminal/version.ts';
import { refuseConfig } from '../opening/with-system.ts';

interface Options extends Common {
  readonly host: string;
  readonly port: number;
  readonly examples?: boolean;
  readonly retain: number;
  readonly onWithdrawal: 'keep' | 'erase';
  readonly tokens?: string;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

export async function start(session: Session, options: Options): Promise<ExitCode> {
  refuseConfig(
    options,
    'on a cluster residency-router and the other services are started each by itself.',
  );
  const { output, signal } = session;
  const tokens = options.tokens === undefined ? undefined : await readTokens(options.tokens);
  const metrics = createMetrics({ service: 'standalone', version: VERSION, now: session.now });
  const running = await startStandalone({
    data: options.data,
    ...defined({ checkpoints: options.checkpoints }),
    host: options.host,
    port: options.port,
    ...defined({ tokens }),
    examples: options.examples ?? !options.dataGiven,
    retainMs: options.retain * DAY_MS,
    onWithdrawal: options.onWithdrawal,
    metrics,
    logger: createLogger({ level: 'info', onProblem: metrics.logged }),
  });
  const present = async (): Promise<void> => {
    if (options.json) await output.json({ url: running.url });
    else await output.line(`Listening on ${running.url} (data directory: ${running.data.path})`);
    await reportFirstRun(session, options.json, running.data, await running.firstRun());
  };
  await runUntilStopped(
    {
      ended: Promise.race([running.ended, present().then(() => running.ended)]),
      stop: () => running.stop(),
    },
    { signal, graceMs: GRACE_MS, late: () => process.exit(EXIT.found) },
  );
  return EXIT.done;
}
