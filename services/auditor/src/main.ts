import { readFileSync } from 'node:fs';
import { runService } from '@residency/operations';
import { createLogger } from '@residency/telemetry';
import { readConfig } from './config.ts';
import { startAuditor } from './start-auditor.ts';
import { VERSION } from './version.ts';

const GRACE_MS = 25_000;
// Until the configuration says otherwise.
let logger = createLogger({ level: 'info' });

await runService({
  start: (signal) => {
    const settings = readConfig(process.env, (path) => readFileSync(path, 'utf8'));
    logger = createLogger({ level: settings.telemetry.logLevel });
    return startAuditor({ settings, logger, version: VERSION, now: () => performance.now() }, signal);
  },
  report: (message, fields) => { logger.error(message, fields); },
  graceMs: GRACE_MS,
}, process);
