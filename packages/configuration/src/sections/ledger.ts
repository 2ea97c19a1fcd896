import { complete, present } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';
import { VARIABLES } from '../variables.ts';

export interface LedgerBucket {
  readonly bucket: string;
  /** Absent: AWS. */
  readonly endpoint?: string;
  readonly awsRegion: string;
  readonly pathStyle: boolean;
  /** Absent: the SDK's default provider chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Where the ledgers stand: in just one of a folder and a bucket. */
export type LedgerConfiguration = {
  /** What ledgers' names begin with. */
  readonly origin: string;
} & (
  | { readonly directory: string; readonly bucket?: never }
  | { readonly bucket: LedgerBucket; readonly directory?: never }
);

const PLACE = ['RESIDENCY_LEDGER_DIR', 'RESIDENCY_LEDGER_BUCKET'] as const;
const [ENDPOINT, AWS_REGION, PATH_STYLE] = [
  'RESIDENCY_LEDGER_ENDPOINT',
  'RESIDENCY_LEDGER_AWS_REGION',
  'RESIDENCY_LEDGER_PATH_STYLE',
] as const;
const [KEY_ID, SECRET, SECRET_FILE] = [
  'RESIDENCY_LEDGER_ACCESS_KEY_ID',
  'RESIDENCY_LEDGER_SECRET_ACCESS_KEY',
  'RESIDENCY_LEDGER_SECRET_ACCESS_KEY_FILE',
] as const;

export function readLedger(reader: EnvironmentReader): LedgerConfiguration | undefined {
  const [folder, name] = PLACE;
  const origin = reader.get('RESIDENCY_LEDGER_ORIGIN');
  const directory = reader.get(folder);
  const bucket = readBucket(reader);
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

function readBucket(reader: EnvironmentReader): LedgerBucket | undefined {
  const [, name] = PLACE;
  const credentials = readCredentials(reader);
  const [bucket, endpoint, awsRegion, pathStyle] = [
    reader.get(name),
    reader.get(ENDPOINT),
    reader.get(AWS_REGION),
    reader.get(PATH_STYLE),
  ];
  if (!reader.isSet(name)) {
    reader.refuseWithout(
      false,
      [ENDPOINT, AWS_REGION, PATH_STYLE, KEY_ID, SECRET, SECRET_FILE],
      name,
    );
    return undefined;
  }
  if (!reader.isSet(AWS_REGION))
    reader.mistaken({
      variable: AWS_REGION,
      expected: VARIABLES[AWS_REGION].expected,
      found: 'nothing, with a bucket',
    });
  const needed = complete({ bucket, awsRegion, pathStyle });
  return needed === undefined
    ? undefined
    : { ...needed, pathStyle: needed.pathStyle === 'true', ...present({ endpoint, credentials }) };
}

function readCredentials(reader: EnvironmentReader): LedgerBucket['credentials'] {
  const accessKeyId = reader.get(KEY_ID);
  const secretAccessKey = reader.secret(SECRET, SECRET_FILE, {
    secret: VARIABLES[SECRET],
    file: VARIABLES[SECRET_FILE],
  });
  reader.refuseWithout(reader.isSet(KEY_ID), [SECRET, SECRET_FILE], KEY_ID);
  reader.refuseWithout(
    reader.isSet(SECRET) || reader.isSet(SECRET_FILE),
    [KEY_ID],
    `${SECRET} or ${SECRET_FILE}`,
  );
  return complete({ accessKeyId, secretAccessKey });
}
