import type { EnvironmentReader } from '../environment-reader.ts';
import { readBucket } from './ledger-bucket.ts';
import type { LedgerBucket } from './ledger-bucket.ts';

/**
 * Where the newest checkpoint of each ledger is kept: in a folder, in a bucket, or (neither set)
 * beside the ledgers' key.
 */
export type CheckpointsConfiguration =
  | { readonly directory: string; readonly bucket?: never; readonly besideKey?: never }
  | { readonly bucket: LedgerBucket; readonly directory?: never; readonly besideKey?: never }
  | { readonly besideKey: string; readonly directory?: never; readonly bucket?: never };

const PLACE = {
  folder: 'RESIDENCY_CHECKPOINTS_DIR',
  name: 'RESIDENCY_CHECKPOINTS_BUCKET',
  endpoint: 'RESIDENCY_CHECKPOINTS_ENDPOINT',
  awsRegion: 'RESIDENCY_CHECKPOINTS_AWS_REGION',
  pathStyle: 'RESIDENCY_CHECKPOINTS_PATH_STYLE',
  keyId: 'RESIDENCY_CHECKPOINTS_ACCESS_KEY_ID',
  secret: 'RESIDENCY_CHECKPOINTS_SECRET_ACCESS_KEY',
  secretFile: 'RESIDENCY_CHECKPOINTS_SECRET_ACCESS_KEY_FILE',
} as const;

export function readCheckpoints(reader: EnvironmentReader): CheckpointsConfiguration | undefined {
  const { folder, name } = PLACE;
  const directory = reader.get(folder);
  const bucket = readBucket(reader, PLACE);
  if (reader.isSet(folder) && reader.isSet(name))
    return reader.mistaken({ variable: name, expected: `nothing beside ${folder}`, found: 'both' });
  if (reader.isSet(folder)) return directory === undefined ? undefined : { directory };
  if (reader.isSet(name)) return bucket === undefined ? undefined : { bucket };
  // Beside the key, which the signing process must have.
  const besideKey = reader.get('RESIDENCY_LEDGER_KEY_FILE');
  return besideKey === undefined ? undefined : { besideKey };
}
