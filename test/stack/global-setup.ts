import { SUPERVISOR } from './shared-stack.ts';
import { startSupervisor } from './supervisor.ts';

/**
 * Starts no server: a supervisor listens, and starts what the first test that calls `sharedStack`
 * needs.
 */
export default async function setup(): Promise<() => Promise<void>> {
  // Another project of the same run did.
  if (process.env[SUPERVISOR] !== undefined) return () => Promise.resolve();
  const supervisor = await startSupervisor();
  process.env[SUPERVISOR] = supervisor.url;
  return () => supervisor.close();
}
