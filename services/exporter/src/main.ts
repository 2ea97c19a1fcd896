import { serviceMain } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { readConfig } from './config.ts';
import { startExporter } from './start-exporter.ts';
import { VERSION } from './version.ts';

const metrics = createMetrics({ service: 'exporter', version: VERSION, now: Date.now });

await serviceMain(process, {
  read: (env, readFile) => readConfig(env, readFile),
  logger: (level) => createLogger({ level, onProblem: metrics.logged }),
  start: (settings, logger) => startExporter({ settings, logger, metrics, now: Date.now }),
});
