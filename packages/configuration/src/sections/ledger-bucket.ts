import { defined } from '@residency/defined';
import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';
import { VARIABLES } from '../variables.ts';
import type { VariableName } from '../variables.ts';

export interface LedgerBucket {
  readonly bucket: string;
  /** Absent: AWS. */
  readonly endpoint?: string;
  readonly awsRegion: string;
  readonly pathStyle: boolean;
  /** Absent: the SDK's default provider chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The variables of a bucket and of its credentials. */
export interface BucketVariables {
  readonly name: BucketVariable<'BUCKET'>;
  readonly endpoint: BucketVariable<'ENDPOINT'>;
  readonly awsRegion: BucketVariable<'AWS_REGION'>;
  readonly pathStyle: BucketVariable<'PATH_STYLE'>;
  readonly keyId: BucketVariable<'ACCESS_KEY_ID'>;
  readonly secret: BucketVariable<'SECRET_ACCESS_KEY'>;
  readonly secretFile: BucketVariable<'SECRET_ACCESS_KEY_FILE'>;
}

type BucketVariable<Member extends string> = Extract<
  VariableName,
  `RESIDENCY_LEDGER_${Member}` | `RESIDENCY_CHECKPOINTS_${Member}`
>;

/** `undefined`: no bucket is named, or there is a mistake. */
export function readBucket(
  reader: EnvironmentReader,
  names: BucketVariables,
): LedgerBucket | undefined {
  const {
    name,
    endpoint: address,
    awsRegion: region,
    pathStyle: style,
    keyId,
    secret,
    secretFile,
  } = names;
  const credentials = readCredentials(reader, names);
  const [bucket, endpoint, awsRegion, pathStyle] = [
    reader.get(name),
    reader.get(address),
    reader.get(region),
    reader.get(style),
  ];
  if (!reader.isSet(name)) {
    reader.refuseWithout(false, [address, region, style, keyId, secret, secretFile], name);
    return undefined;
  }
  if (!reader.isSet(region))
    reader.mistaken({
      variable: region,
      expected: VARIABLES[region].expected,
      found: 'nothing, with a bucket',
    });
  const needed = complete({ bucket, awsRegion, pathStyle });
  return needed === undefined
    ? undefined
    : { ...needed, pathStyle: needed.pathStyle === 'true', ...defined({ endpoint, credentials }) };
}

function readCredentials(
  reader: EnvironmentReader,
  { keyId, secret, secretFile }: BucketVariables,
): LedgerBucket['credentials'] {
  const accessKeyId = reader.get(keyId);
  const secretAccessKey = reader.secret(secret, secretFile, {
    secret: VARIABLES[secret],
    file: VARIABLES[secretFile],
  });
  reader.refuseWithout(reader.isSet(keyId), [secret, secretFile], keyId);
  reader.refuseWithout(
    reader.isSet(secret) || reader.isSet(secretFile),
    [keyId],
    `${secret} or ${secretFile}`,
  );
  return complete({ accessKeyId, secretAccessKey });
}
