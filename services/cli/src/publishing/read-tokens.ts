import { tryReadJson } from '@residency/residency';
import type { StandaloneOptions } from '@residency/standalone';
import { usage } from '../terminal/cli-error.ts';
import { isObject } from '../http/json-object.ts';
import { readNamed } from '../terminal/read-named.ts';

type Token = NonNullable<StandaloneOptions['tokens']>[number];
type Scope = Token['scopes'][number];

const SCOPES: readonly Scope[] = ['submissions', 'consents'];

/**
 * Throws `USAGE` without repeating anything of the file: it holds secrets. The intake judges the
 * tokens themselves.
 */
export async function readTokens(path: string): Promise<readonly Token[]> {
  const text = (await readNamed(path, 'the tokens file')).toString('utf8');
  const tokens = tryReadJson(text);
  const read = Array.isArray(tokens) ? tokens.flatMap(readToken) : [];
  if (!Array.isArray(tokens) || tokens.length === 0 || read.length !== tokens.length) {
    throw usage(
      'Expected the tokens file to be a JSON array of {"token": "..."} or {"sha256": "..."}, each with "scopes" of submissions, consents or both; found something else.',
    );
  }
  return read;
}

function readToken(value: unknown): Token[] {
  if (!isObject(value)) return [];
  const { token, sha256, scopes, ...others } = value;
  const known = Array.isArray(scopes) ? SCOPES.filter((scope) => scopes.includes(scope)) : [];
  if (
    !Array.isArray(scopes) ||
    known.length === 0 ||
    known.length !== scopes.length ||
    Object.keys(others).length > 0
  )
    return [];
  if (typeof token === 'string' && sha256 === undefined) return [{ token, scopes: known }];
  if (typeof sha256 === 'string' && token === undefined) return [{ sha256, scopes: known }];
  return [];
}
