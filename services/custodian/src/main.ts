import { serviceMain } from '@residency/operations';
import { createLogger, createMetrics } from '@residency/telemetry';
import { readConfig } from './config.ts';
import { startCustodian } from './start-custodian.ts';
import { VERSION } from './version.ts';

const metrics = createMetrics({ service: 'custodian', version: VERSION, now: Date.now });

await serviceMain(process, {
  read: (env, readFile) => readConfig(env, readFile),
  logger: (level) => createLogger({ level, onProblem: metrics.logged }),
  start: (settings, logger) => startCustodian({ settings, logger, metrics }),
});
