import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { requireDataDirectory } from './require-data-directory.ts';
import type { Where } from './require-data-directory.ts';
import type { System } from '../system/system.ts';

/**
 * Opens the system that `--data` or `--config` names, for the time of `work`. Says which records of
 * a log had to be passed over: then a command that went well ends with 1. Throws `NOT_THERE` if
 * there is no data directory, unless the command `makes` one.
 */
export async function withSystem<T>(
  session: Session,
  where: Where,
  work: (system: System) => Promise<T>,
  { makes = false }: { readonly makes?: boolean } = {},
): Promise<T> {
  if (!makes) await requireDataDirectory(where);
  const system = await open(session, where);
  try {
    const answer = await work(system);
    system.passedOver.say(session);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an exit code for an exit code
    return system.passedOver.any && answer === EXIT.done ? (EXIT.found as T) : answer;
  } finally {
    await system.close();
  }
}

async function open(session: Session, { data, config, checkpoints }: Where): Promise<System> {
  // Each loaded on demand: the second loads three vendors' clients.
  if (config === undefined) {
    const { openEmbeddedSystem } = await import('../embedded/embedded-system.ts');
    return await openEmbeddedSystem(data, checkpoints);
  }
  const { openDistributedSystem } = await import('../cluster/distributed-system.ts');
  return await openDistributedSystem(session, config);
}

/** For commands that are one machine's; `instead` says what does it on a cluster. */
export function refuseConfig({ config }: Pick<Common, 'config'>, instead: string): void {
  if (config !== undefined)
    throw usage(
      `Expected this command without --config, because it works on one machine's data directory; ${instead}`,
    );
}
