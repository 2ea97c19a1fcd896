import type { EnvironmentReader } from '../environment-reader.ts';
import { VARIABLES } from '../variables.ts';
import { readBucket } from './ledger-bucket.ts';
import type { LedgerBucket } from './ledger-bucket.ts';

/** The place of the ledgers: either a folder or a bucket. */
export type LedgerConfiguration = {
  /** The prefix of all ledgers' names. */
  readonly origin: string;
} & (
  | { readonly directory: string; readonly bucket?: never }
  | { readonly bucket: LedgerBucket; readonly directory?: never }
);

const PLACE = {
  folder: 'RESIDENCY_LEDGER_DIR',
  name: 'RESIDENCY_LEDGER_BUCKET',
  endpoint: 'RESIDENCY_LEDGER_ENDPOINT',
  awsRegion: 'RESIDENCY_LEDGER_AWS_REGION',
  pathStyle: 'RESIDENCY_LEDGER_PATH_STYLE',
  keyId: 'RESIDENCY_LEDGER_ACCESS_KEY_ID',
  secret: 'RESIDENCY_LEDGER_SECRET_ACCESS_KEY',
  secretFile: 'RESIDENCY_LEDGER_SECRET_ACCESS_KEY_FILE',
} as const;

export function readLedger(reader: EnvironmentReader): LedgerConfiguration | undefined {
  const { folder, name } = PLACE;
  const origin = reader.get('RESIDENCY_LEDGER_ORIGIN');
  const directory = reader.get(folder);
  const bucket = readBucket(reader, PLACE);
  if (reader.isSet(folder) && reader.isSet(name))
    return reader.mistaken({ variable: name, expected: `nothing beside ${folder}`, found: 'both' });
  if (!reader.isSet(folder) && !reader.isSet(name))
    return reader.mistaken({
      variable: name,
      expected: `${VARIABLES[name].expected}, or a folder in ${folder}`,
      found: 'nothing',
    });
  if (origin === undefined) return undefined;
  if (directory !== undefined) return { origin, directory };
  return bucket === undefined ? undefined : { origin, bucket };
}
