import { defined } from '@residency/defined';
import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';
import { TOKENS_EXPECTED, readTokens } from '../tokens-file.ts';
import type { TokenConfiguration } from '../tokens-file.ts';

export interface HttpConfiguration {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tokens?: readonly TokenConfiguration[];
}

export function readHttp(reader: EnvironmentReader): HttpConfiguration | undefined {
  const text = reader.file('RESIDENCY_TOKENS_FILE');
  const tokens = text === undefined ? undefined : readTokens(text);
  if (text !== undefined && tokens === undefined)
    reader.mistaken({
      variable: 'RESIDENCY_TOKENS_FILE',
      expected: TOKENS_EXPECTED,
      found: 'something else',
    });
  const needed = complete({
    host: reader.get('RESIDENCY_HTTP_HOST'),
    port: reader.get('RESIDENCY_HTTP_PORT'),
  });
  return needed === undefined ? undefined : { ...needed, ...defined({ tokens }) };
}
