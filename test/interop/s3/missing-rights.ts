import assert from 'node:assert/strict';
import { S3CustodianSites, initS3Site } from '@residency/adapter-s3';
import { createBucket, signedRequest } from '../../stack/index.ts';
import type { S3Endpoint } from '../../stack/index.ts';
import { REGION, SITE, settingsOf } from './site-settings.ts';

const CUSTODIAN = { accessKeyId: 'custodian', secretAccessKey: 'custodian-secret' };

/** What erasing needs, and where a policy refuses it. */
const REFUSED = [
  ['s3:ListBucket', ''],
  ['s3:GetObject', '/damaged/*'],
  ['s3:ListBucketVersions', ''],
  ['s3:ListBucketMultipartUploads', ''],
  ['s3:DeleteObjectVersion', '/samples/*'],
  ['s3:DeleteObjectVersion', '/damaged/*'],
  ['s3:AbortMultipartUpload', '/samples/*'],
  ['s3:AbortMultipartUpload', '/damaged/*'],
] as const;

/**
 * A custodian refuses a bucket, with and without versions, if the store denies its credentials one
 * right of an erasure. With all rights it leaves nothing in the bucket.
 */
export async function refusesMissingRights(endpoint: S3Endpoint): Promise<void> {
  await ask(
    endpoint,
    'PATCH',
    '/create-user',
    `<Account><Access>${CUSTODIAN.accessKeyId}</Access><Secret>${CUSTODIAN.secretAccessKey}</Secret><Role>user</Role></Account>`,
  );
  for (const isVersioned of [true, false]) {
    const bucket = await createBucket(endpoint);
    if (isVersioned)
      await ask(
        endpoint,
        'PUT',
        `/${bucket}?versioning=`,
        '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
      );
    await initS3Site(settingsOf(endpoint, bucket));
    for (const [action, below] of REFUSED) {
      await permit(endpoint, bucket, [statement('Deny', action, bucket + below)]);
      await assert.rejects(
        opened(endpoint, bucket),
        ({ code, remedy, message }: Error & Record<string, unknown>) =>
          code === 'SITE_NOT_ERASABLE' && remedy === 'stop' && message.includes(action),
        `${action} ${below}, versions: ${isVersioned}`,
      );
    }
    await permit(endpoint, bucket, []);
    await opened(endpoint, bucket);
    const left = await ask(endpoint, 'GET', `/${bucket}?versions=`);
    assert.deepEqual(
      [...left.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key),
      ['residency-site.json', 'residency-site.probe'],
    );
    assert(!(await ask(endpoint, 'GET', `/${bucket}?uploads=`)).includes('<UploadId>'));
  }
}

async function opened(endpoint: S3Endpoint, bucket: string): Promise<void> {
  const sites = new S3CustodianSites([settingsOf({ ...endpoint, ...CUSTODIAN }, bucket)]);
  try {
    await sites.site(SITE, REGION);
  } finally {
    sites.close();
  }
}

function statement(effect: 'Allow' | 'Deny', action: string, resource: string): object {
  return {
    Effect: effect,
    Principal: [CUSTODIAN.accessKeyId],
    Action: action,
    Resource: `arn:aws:s3:::${resource}`,
  };
}

async function permit(
  endpoint: S3Endpoint,
  bucket: string,
  further: readonly object[],
): Promise<void> {
  const all = ['', '/*'].map((below) => statement('Allow', 's3:*', bucket + below));
  const policy = { Version: '2012-10-17', Statement: [...all, ...further] };
  await ask(endpoint, 'PUT', `/${bucket}?policy=`, JSON.stringify(policy));
}

async function ask(endpoint: S3Endpoint, method: string, path: string, body = ''): Promise<string> {
  const answer = await signedRequest({ method, path, ...endpoint, body });
  assert([200, 201, 204].includes(answer.status), `${method} ${path}: ${answer.status}`);
  return answer.body.toString();
}
