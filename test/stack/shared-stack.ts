import type { SharedKind } from './shared-servers.ts';
import type { Stack } from './stack.ts';

/** Set by global-setup.ts for the run's workers and their children. */
export const SUPERVISOR = 'RESIDENCY_TEST_SUPERVISOR';

/**
 * The run's shared Kafka, S3 servers and Redis, started when first asked for and stopped when the
 * run ends or dies.
 */
export async function sharedStack(): Promise<Stack> {
  const [kafka, sites, redis] = await Promise.all([sharedKafka(), sharedSites(), sharedRedis()]);
  return { kafka, sites, redis };
}

/** Only the shared Kafka: nothing else is started for it. */
export function sharedKafka(): Promise<Stack['kafka']> {
  return shared('kafka');
}

/** Only the shared S3 servers. */
export function sharedSites(): Promise<Stack['sites']> {
  return shared('sites');
}

/** Only the shared Redis. */
export function sharedRedis(): Promise<Stack['redis']> {
  return shared('redis');
}

async function shared<Kind extends SharedKind>(kind: Kind): Promise<Stack[Kind]> {
  const supervisor = process.env[SUPERVISOR];
  if (supervisor === undefined)
    throw new Error(
      'Expected to run below vitest, whose global set-up shares a stack, found no such stack; elsewhere use openStack.',
    );
  const response = await fetch(`${supervisor}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Stack[Kind];
}
