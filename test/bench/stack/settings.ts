import { readFileSync } from 'node:fs';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaLog } from '@residency/adapter-kafka';
import { readConfig } from '@residency/router';
import type { RouterSettings } from '@residency/router';
import { createLogger } from '@residency/telemetry';

/** The settings of the router service, from the variables that a child of the benchmark gets. */
export function settingsOfEnvironment(): RouterSettings {
  return readConfig(process.env, (path) => readFileSync(path, 'utf8'));
}

export async function openLog({ kafka }: RouterSettings): Promise<KafkaLog> {
  return await openKafkaLog(
    { ...kafka, clientId: 'residency-bench' },
    createLogger({ level: 'warn' }),
  );
}
