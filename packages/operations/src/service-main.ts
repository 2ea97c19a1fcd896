import { readFileSync } from 'node:fs';
import { runService } from './run-service.ts';
import type { Host, Service } from './run-service.ts';

export interface MainTerms<Settings, Level, Logger> {
  readonly read: (
    env: Readonly<Record<string, string | undefined>>,
    readFile: (path: string) => string,
  ) => Settings & { readonly telemetry: { readonly logLevel: Level } };
  readonly logger: (level: Level | 'info') => Logger;
  readonly start: (settings: Settings, logger: Logger) => Promise<Service>;
}

/** What the platform kills after is longer: Kubernetes and Compose are told 30 s. */
const GRACE_MS = 25_000;

/** A service's process: its configuration from the environment, its lines, its signals and its exit code. */
export async function serviceMain<
  Settings,
  Level,
  Logger extends { error(message: string, fields: { readonly error: unknown }): void },
>(
  host: Host & { readonly env: Readonly<Record<string, string | undefined>> },
  { read, logger: open, start }: MainTerms<Settings, Level, Logger>,
): Promise<void> {
  // Until the configuration says otherwise.
  let logger = open('info');
  await runService(
    {
      start: () => {
        const settings = read(host.env, (path) => readFileSync(path, 'utf8'));
        logger = open(settings.telemetry.logLevel);
        return start(settings, logger);
      },
      report: (message, fields) => {
        logger.error(message, fields);
      },
      graceMs: GRACE_MS,
    },
    host,
  );
}
