import { realpath } from 'node:fs/promises';
import { readConfigFile } from './config-file.ts';
import type { Session } from './session.ts';
import type { Where } from './with-system.ts';

/** What holds the keys and secrets of the system in use, by real path: `publish` leaves it where it is. */
export async function notPublished(
  session: Session,
  { data, config }: Where,
): Promise<ReadonlySet<string>> {
  const named = config === undefined ? [data] : [data, config, ...(await filesOf(session, config))];
  return new Set(await Promise.all(named.map((path) => realpath(path).catch(() => path))));
}

async function filesOf(session: Session, config: string): Promise<readonly string[]> {
  const { env } = await readConfigFile(session, config);
  return Object.entries(env).flatMap(([name, path]) =>
    path !== undefined && /_(?:FILE|DIR)$/.test(name) ? [path] : [],
  );
}
