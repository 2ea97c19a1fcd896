import { serviceMain } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { readConfig } from './config.ts';
import { startProjector } from './start-projector.ts';
import { VERSION } from './version.ts';

const metrics = createMetrics({ service: 'consent-projector', version: VERSION, now: Date.now });

await serviceMain(process, {
  read: (env, readFile) => readConfig(env, readFile),
  logger: (level) => createLogger({ level, onProblem: metrics.logged }),
  start: (settings, logger) => startProjector({ settings, logger, metrics, now: Date.now }),
});
