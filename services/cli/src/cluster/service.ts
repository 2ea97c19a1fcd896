import { fileURLToPath } from 'node:url';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { readConfigFile } from './config-file.ts';
import type { Session } from '../terminal/session.ts';

/** The same process becomes the service: its signals and its exit code are the service's. */
export async function runService(
  session: Session,
  { config, dataGiven }: Common,
  name: string,
): Promise<never> {
  if (config === undefined || dataGiven)
    throw usage(
      "Expected --config with a cluster's settings, found none; one machine's data directory is served by `residency start`.",
    );
  const { env } = await readConfigFile(session, config);
  const main = fileURLToPath(new URL(`../../../${name}/src/main.ts`, import.meta.url));
  if (process.execve === undefined)
    throw usage(
      "Expected an operating system where a process can become another one, found one where it can not; start the service's own main.ts.",
    );
  return process.execve(
    process.execPath,
    // Without the young generation that `bin/residency.js` gives a short-lived command.
    [process.execPath, ...process.execArgv.filter((one) => !/semi-space-size/.test(one)), main],
    definedOf({ ...process.env, ...env }),
  );
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
