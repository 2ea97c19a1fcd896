import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { ConfigurationSource } from '@residency/configuration';
import { usage } from '../terminal/cli-error.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';

/** A cluster's settings with the source of each. */
export interface ConfigFile extends ConfigurationSource {
  origin(variable: string): 'environment' | 'file' | undefined;
}

const PREFIX = 'RESIDENCY_';
/** A line of the file: a setting, a comment, or an empty line. */
const LINE = /^\s*(?:#|$|(?:export\s+)?(RESIDENCY_[A-Za-z0-9_]+)\s*=)/;

/**
 * The variables of the `--config` file, if given. Variables of the environment take precedence.
 * Throws `USAGE`, never with a value.
 */
export async function readConfigFile(
  { env }: Pick<Session, 'env'>,
  path: string | undefined,
): Promise<ConfigFile> {
  const ofFile = path === undefined ? {} : parse(await readNamed(path, 'the file of --config'));
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

function parse(bytes: Buffer): Readonly<Record<string, string | undefined>> {
  if (!isUtf8(bytes))
    throw usage('Expected the file of --config in UTF-8, found bytes that are not.');
  const text = bytes.toString('utf8');
  // The parser ignores invalid lines, so a setting on such a line would look like an omitted one.
  const lines = text.split(/\r?\n/);
  const wrong = lines.findIndex((line) => !LINE.test(line));
  if (wrong >= 0)
    throw usage(
      `Expected every line of the file of --config to be ${PREFIX}NAME=value, a comment or empty, found another in line ${wrong + 1}.`,
    );
  // Of two equal names the parser takes the last; other readers take the first.
  const names = lines.map((line) => LINE.exec(line)?.[1]);
  const twice = names.findIndex((name, index) => name !== undefined && names.indexOf(name) < index);
  if (twice >= 0)
    throw usage(
      `Expected each name once in the file of --config, found ${names[twice]} in line ${twice + 1} again; it is in line ${names.indexOf(names[twice]) + 1} already.`,
    );
  return parseEnv(text);
}
