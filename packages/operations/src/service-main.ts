import { readFileSync } from 'node:fs';
import { runService } from './run-service.ts';
import type { Host } from './run-service.ts';
import type { RunningWork } from './run-work.ts';

export interface MainOptions<Settings, Level, Logger> {
  readonly read: (
    env: Readonly<Record<string, string | undefined>>,
    readFile: (path: string) => string,
  ) => Settings & { readonly telemetry: { readonly logLevel: Level } };
  readonly logger: (level: Level | 'info') => Logger;
  readonly start: (settings: Settings, logger: Logger) => Promise<RunningWork>;
}

/** Below the platform's own limit: Kubernetes and Compose are configured for 30 s. */
export const GRACE_MS = 25_000;

/**
 * The main function of a service's process: configuration from the environment, logging, signals
 * and exit code.
 */
export async function serviceMain<
  Settings,
  Level,
  Logger extends {
    error(message: string, fields: { readonly error: unknown }): void;
    info(message: string, fields: { readonly port: number }): void;
  },
>(
  host: Host & { readonly env: Readonly<Record<string, string | undefined>> },
  { read, logger: open, start }: MainOptions<Settings, Level, Logger>,
): Promise<void> {
  // Until the configuration was read.
  let logger = open('info');
  await runService(
    {
      start: async () => {
        const settings = read(host.env, (path) => readFileSync(path, 'utf8'));
        logger = open(settings.telemetry.logLevel);
        const running = await start(settings, logger);
        logger.info('Listening.', { port: Number(new URL(running.url).port) });
        return running;
      },
      report: (message, fields) => {
        logger.error(message, fields);
      },
      graceMs: GRACE_MS,
    },
    host,
  );
}
