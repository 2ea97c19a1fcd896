import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectLockConfigurationCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { defined } from '@residency/defined';
import { decodeKey } from './list-keys.ts';
import type { FoundUpload, FoundVersion } from './s3-calls.ts';
import { S3Error } from './s3-error.ts';
import { memberOf, nameOf, statusOf } from './site-failure.ts';
import { ForeignAnswer } from './store-answer.ts';

/** Where and how a request is sent. */
export interface Sending {
  readonly client: S3Client;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

/** The parameters of a list's next page. */
export type Marker = Readonly<Record<string, string | undefined>>;

export interface Page<T> {
  readonly found: readonly T[];
  /** Absent on the last page. */
  readonly next?: Marker;
}

export async function isLocked({ client, bucket, signal }: Sending): Promise<boolean> {
  try {
    const command = new GetObjectLockConfigurationCommand({ Bucket: bucket });
    const { ObjectLockConfiguration } = await client.send(command, { abortSignal: signal });
    return ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  } catch (caught) {
    if (isUnsupported(caught) || nameOf(caught) === 'AccessDenied') return false;
    // `ObjectLockConfigurationNotFoundError`, which not every store calls so.
    if (statusOf(caught) === 404 && nameOf(caught) !== 'NoSuchBucket') return false;
    throw caught;
  }
}

/** `undefined`: the store keeps no versions. */
export async function versionsPage(
  { client, bucket, signal }: Sending,
  prefix: string,
  from: Marker = {},
): Promise<Page<FoundVersion> | undefined> {
  const command = new ListObjectVersionsCommand({
    Bucket: bucket,
    Prefix: prefix,
    EncodingType: 'url',
    ...from,
  });
  const answer = await orNone(client.send(command, { abortSignal: signal }));
  if (answer === undefined) return undefined;
  const { Versions = [], DeleteMarkers = [], EncodingType, NextKeyMarker } = answer;
  const decode = decoder(EncodingType);
  return {
    found: [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId, IsLatest }) => {
      // Without these a sample could be deleted, or an older version be left.
      if (VersionId === undefined || IsLatest === undefined) throw new ForeignAnswer();
      return { key: decode(Key), versionId: VersionId, isNewest: IsLatest };
    }),
    ...nextOf(answer.IsTruncated, from, {
      KeyMarker: NextKeyMarker && decode(NextKeyMarker),
      VersionIdMarker: answer.NextVersionIdMarker,
    }),
  };
}

/** `undefined`: the store cannot list them. */
export async function uploadsPage(
  { client, bucket, signal }: Sending,
  prefix: string,
  from: Marker = {},
): Promise<Page<FoundUpload> | undefined> {
  const command = new ListMultipartUploadsCommand({
    Bucket: bucket,
    Prefix: prefix,
    EncodingType: 'url',
    ...from,
  });
  const answer = await orNone(client.send(command, { abortSignal: signal }));
  if (answer === undefined) return undefined;
  const { Uploads = [], EncodingType, NextKeyMarker } = answer;
  const decode = decoder(EncodingType);
  return {
    found: Uploads.map(({ Key = '', UploadId }) => {
      if (UploadId === undefined) throw new ForeignAnswer();
      return { key: decode(Key), uploadId: UploadId };
    }),
    ...nextOf(answer.IsTruncated, from, {
      KeyMarker: NextKeyMarker && decode(NextKeyMarker),
      UploadIdMarker: answer.NextUploadIdMarker,
    }),
  };
}

export async function deleteVersion(
  { client, bucket, signal }: Sending,
  key: string,
  versionId: string | undefined,
): Promise<void> {
  const command = new DeleteObjectCommand({
    Bucket: bucket,
    Key: key,
    ...defined({ VersionId: versionId }),
  });
  await unlessGone('NoSuchVersion', client.send(command, { abortSignal: signal }));
}

export async function beginUpload(
  { client, bucket, signal }: Sending,
  key: string,
): Promise<string | undefined> {
  try {
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key: key });
    const { UploadId } = await client.send(command, { abortSignal: signal });
    if (UploadId === undefined) throw new ForeignAnswer();
    return UploadId;
  } catch (caught) {
    if (isUnsupported(caught) || nameOf(caught) === 'AccessDenied') return undefined;
    throw caught;
  }
}

export async function abortUpload(
  { client, bucket, signal }: Sending,
  key: string,
  uploadId: string,
): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId });
  await unlessGone('NoSuchUpload', client.send(command, { abortSignal: signal }));
}

/** A request that erasing needs, and that the store refuses. */
export class RightMissing extends S3Error {
  /** The name of the right, as AWS has it. */
  readonly right: string;

  constructor(site: string, right: string) {
    super({
      code: 'SITE_REFUSED',
      message: `Expected the custodian's credentials for site ${site} to have ${right}, found that the store refuses (HTTP 403 AccessDenied). Grant it on the bucket and its objects; a retention or a legal hold on a version is refused in the same way. The erasure is tried again.`,
      remedy: 'retry',
    });
    this.right = right;
  }
}

/** Throws `RightMissing` if the store says that the right is missing. */
export async function permitted<T>(site: string, right: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (caught) {
    if (nameOf(caught) !== 'AccessDenied') throw caught;
    throw new RightMissing(site, right);
  }
}

async function unlessGone(name: string, sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (caught) {
    if (memberOf(caught, 'name') !== name && nameOf(caught) !== 'NoSuchKey') throw caught;
  }
}

/** `undefined`: the store does not have the feature. */
async function orNone<T>(sent: Promise<T>): Promise<T | undefined> {
  try {
    return await sent;
  } catch (caught) {
    if (isUnsupported(caught)) return undefined;
    throw caught;
  }
}

/** The store does not have the feature. */
function isUnsupported(caught: unknown): boolean {
  const status = statusOf(caught);
  return status === 501 || status === 405;
}

function decoder(encoding: string | undefined): (key: string) => string {
  return encoding === 'url' ? decodeKey : (key) => key;
}

/** Half a list must not pass for a whole one. */
function nextOf(
  isTruncated: boolean | undefined,
  from: Marker,
  next: Marker,
): { readonly next?: Marker } {
  if (typeof isTruncated !== 'boolean') throw new ForeignAnswer();
  if (!isTruncated) return {};
  const isSame = Object.entries(next).every(([name, value]) => value === from[name]);
  if (next['KeyMarker'] === undefined || isSame) throw new ForeignAnswer();
  return { next };
}
