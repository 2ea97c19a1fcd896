import { serviceMain } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { SYSTEM_CLOCK } from './clock.ts';
import { readConfig } from './config.ts';
import { startReconciler } from './start-reconciler.ts';
import { VERSION } from './version.ts';

const metrics = createMetrics({ service: 'reconciler', version: VERSION, now: Date.now });

await serviceMain(process, {
  read: (env, readFile) => readConfig(env, readFile),
  logger: (level) => createLogger({ level, onProblem: metrics.logged }),
  start: (settings, logger) => startReconciler({ settings, logger, metrics, clock: SYSTEM_CLOCK }),
});
