import { usage } from './cli-error.ts';
import type { Common } from './command.ts';
import { openEmbeddedSystem } from './embedded-system.ts';
import type { Session } from './session.ts';
import type { System } from './system.ts';

export type Where = Pick<Common, 'data' | 'config'>;

/** Opens the system that `--data` or `--config` names, for the time of `work`. */
export async function withSystem<T>(
  session: Session,
  where: Where,
  work: (system: System) => Promise<T>,
): Promise<T> {
  const system = await open(session, where);
  try {
    return await work(system);
  } finally {
    await system.close();
  }
}

async function open(session: Session, { data, config }: Where): Promise<System> {
  if (config === undefined) return await openEmbeddedSystem(data);
  // Loaded only where it is asked for: three vendors' clients come with it.
  const { openDistributedSystem } = await import('./cluster/distributed-system.ts');
  return await openDistributedSystem(session, config);
}

/** For commands that are one machine's; `instead` says what does it on a cluster. */
export function refuseConfig({ config }: Pick<Common, 'config'>, instead: string): void {
  if (config !== undefined)
    throw usage(
      `Expected this command without --config, because it works on one machine's data directory; ${instead}`,
    );
}
