import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { ConfigurationSource } from '@residency/configuration';
import { usage } from './cli-error.ts';
import { readNamed } from './read-named.ts';
import type { Session } from './session.ts';

/** A cluster's settings, and where each comes from. */
export interface ConfigFile extends ConfigurationSource {
  origin(variable: string): 'environment' | 'file' | undefined;
}

const PREFIX = 'RESIDENCY_';

/** The variables of the file that `--config` names, where it names one; those of the environment win. Throws `USAGE`, never with a value. */
export async function readConfigFile(
  { env }: Pick<Session, 'env'>,
  path: string | undefined,
): Promise<ConfigFile> {
  const ofFile =
    path === undefined
      ? {}
      : parse((await readNamed(path, 'the file of --config')).toString('utf8'));
  const ofEnvironment = Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== '',
    ),
  );
  return {
    env: { ...ofFile, ...ofEnvironment },
    readFile: (file) => readFileSync(file, 'utf8'),
    clientId: 'residency-cli',
    origin: (variable) =>
      variable in ofEnvironment ? 'environment' : variable in ofFile ? 'file' : undefined,
  };
}

function parse(text: string): Readonly<Record<string, string | undefined>> {
  // The parser passes over a line that is none; a setting lost so would look like one left out.
  const wrong = text
    .split(/\r?\n/)
    .findIndex((line) => !/^\s*(?:#|$|(?:export\s+)?RESIDENCY_[A-Za-z0-9_]+\s*=)/.test(line));
  if (wrong >= 0)
    throw usage(
      `Expected every line of the file of --config to be ${PREFIX}NAME=value, a comment or empty, found another in line ${wrong + 1}.`,
    );
  return parseEnv(text);
}
