import { serviceMain } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { readConfig } from './config.ts';
import { startIntakeService } from './start-intake-service.ts';
import { VERSION } from './version.ts';

const metrics = createMetrics({ service: 'intake', version: VERSION, now: Date.now });

await serviceMain(process, {
  read: (env, readFile) => readConfig(env, readFile),
  logger: (level) => createLogger({ level, onProblem: metrics.logged }),
  start: (settings, logger) => startIntakeService({ settings, logger, metrics, now: Date.now }),
});
