import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readConfigFile } from '../cluster/config-file.ts';
import type { IntakeOptions } from './intake-options.ts';
import { publicationRecordOf } from './second-publications.ts';
import type { Session } from '../terminal/session.ts';
import type { Where } from '../opening/require-data-directory.ts';

/**
 * The folders with keys and secrets of the system in use, by real path: `publish` does not read
 * them.
 */
export async function notPublished(
  session: Session,
  where: Where & IntakeOptions,
): Promise<ReadonlySet<string>> {
  const { data, config } = where;
  const record = dirname(publicationRecordOf(session.env, where).file);
  const named = [
    data,
    record,
    ...(config === undefined ? [] : [config, ...(await filesOf(session, config))]),
  ];
  return new Set(await Promise.all(named.map((path) => realpath(path).catch(() => path))));
}

async function filesOf(session: Session, config: string): Promise<readonly string[]> {
  const { env } = await readConfigFile(session, config);
  return Object.entries(env).flatMap(([name, path]) =>
    path !== undefined && /_(?:FILE|DIR)$/.test(name) ? [path] : [],
  );
}
