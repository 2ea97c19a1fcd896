import type { EnvironmentReader } from '../environment-reader.ts';

export interface KeysConfiguration {
  readonly directory: string;
}

export function readKeys(reader: EnvironmentReader): KeysConfiguration | undefined {
  const directory = reader.get('RESIDENCY_KEYS_DIR');
  return directory === undefined ? undefined : { directory };
}
