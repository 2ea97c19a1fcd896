import { SUPERVISOR } from './shared-stack.ts';
import { startSupervisor } from './supervisor.ts';

/** Starts no server: a supervisor listens, and starts what the first test that calls `sharedStack` needs. */
export default async function setup(): Promise<() => Promise<void>> {
  const supervisor = await startSupervisor();
  process.env[SUPERVISOR] = supervisor.url;
  return () => supervisor.close();
}
