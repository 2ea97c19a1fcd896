import assert from 'node:assert/strict';
import { S3CustodianSites, S3Sites, initS3Site } from '@residency/adapter-s3';
import { setAsideKey, sha256 } from '@residency/contracts';
import type { CustodianSite, FoundCopy } from '@residency/custodianship';
import { exampleObject, exampleTombstone } from '@residency/testkit';
import { createBucket, signedRequest } from '../../stack/index.ts';
import type { S3Endpoint, SignedResponse } from '../../stack/index.ts';
import { REGION, SITE, settingsOf } from './site-settings.ts';

async function read(custodian: CustodianSite, key: string): Promise<FoundCopy> {
  const found = await custodian.read(key);
  assert(found !== undefined, 'an object');
  return found;
}

/** In a bucket with versions nothing of an erased sample is left in any version. */
export async function erasesVersions(endpoint: S3Endpoint): Promise<void> {
  const bucket = await createBucket(endpoint);
  const ask = async (
    method: string,
    path: string,
    body?: string | Uint8Array,
    expected = [200, 204],
  ): Promise<SignedResponse> => {
    const answer = await signedRequest({
      method,
      path: `/${bucket}${path}`,
      ...endpoint,
      ...(body === undefined ? {} : { body }),
    });
    assert(expected.includes(answer.status), `${method} ${path}: ${answer.status}`);
    return answer;
  };
  const versionsOf = async (prefix: string): Promise<readonly (readonly [string, string])[]> =>
    [
      ...(await ask('GET', `?prefix=${encodeURIComponent(prefix)}&versions=`)).body
        .toString()
        .matchAll(/<(?:Version|DeleteMarker)>.*?<\/(?:Version|DeleteMarker)>/gs),
    ].map(([one]) => [tag(one, 'Key'), tag(one, 'VersionId')]);
  await ask(
    'PUT',
    '?versioning=',
    '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
  );
  const settings = settingsOf(endpoint, bucket);
  await initS3Site(settings);
  const sites = new S3CustodianSites([settings]);
  const custodian = await sites.site(SITE, REGION);

  const [first, second, other] = [
    exampleObject('one', 1),
    exampleObject('one', 2),
    exampleObject('two', 3),
  ];
  const submission = first.key.slice(-64);
  await custodian.create({ ...first, bytes: first.sealed });
  const damaged = await read(custodian, first.key);
  const { key: aside } = await custodian.setAside(submission, damaged);
  assert((await custodian.replace({ ...second, bytes: second.sealed }, damaged)).written);
  await custodian.create({ ...other, bytes: other.sealed });
  const replaced = { ...exampleObject('two', 4), key: other.key };
  await custodian.replace(
    { ...replaced, bytes: replaced.sealed },
    await read(custodian, other.key),
  );
  // A person deleted what was set aside, and somebody put it again: a delete marker lies between.
  await ask('DELETE', `/${aside}`);
  await ask('PUT', `/${aside}`, first.sealed);
  await ask('POST', `/${first.key}?uploads=`, '');

  const tombstone = exampleTombstone('one');
  assert((await custodian.replace(tombstone, await read(custodian, first.key))).written);
  const digests = [second, first].map(({ sealed }) => sha256(sealed));
  const purged = await custodian.purge(tombstone, submission, digests);
  assert.deepEqual(purged, { versions: 5, setAside: 1, uploads: 1 });
  const left = [...(await versionsOf(first.key)), ...(await versionsOf(`damaged/${submission}`))];
  assert.deepEqual(
    left.map(([key]) => key).toSorted(),
    [first.key, ...digests.map((digest) => setAsideKey(submission, digest))].toSorted(),
  );
  for (const [key, id] of left) {
    const { body } = await ask('GET', `/${key}?versionId=${encodeURIComponent(id)}`);
    assert(body.equals(tombstone.bytes), 'the tombstone');
  }
  assert.equal((await versionsOf(other.key)).length, 2, "another sample's versions stay");
  const uploads = (await ask('GET', '?uploads=')).body.toString();
  assert(!uploads.includes('<UploadId>'), 'no unfinished upload');
  assert.deepEqual(await custodian.purge(tombstone, submission, digests), {
    versions: 0,
    setAside: 0,
    uploads: 0,
  });
  sites.close();
}

/** A custodian refuses a bucket with object lock; a router works in it. */
export async function refusesObjectLock(endpoint: S3Endpoint): Promise<void> {
  const bucket = 'locked-bucket';
  const { status } = await signedRequest({
    method: 'PUT',
    path: `/${bucket}`,
    ...endpoint,
    headers: { 'x-amz-bucket-object-lock-enabled': 'true' },
  });
  assert.equal(status, 200, 'a bucket with object lock');
  const settings = settingsOf(endpoint, bucket);
  await initS3Site(settings);
  const [custodians, routers] = [new S3CustodianSites([settings]), new S3Sites([settings])];
  await assert.rejects(custodians.site(SITE, REGION), { code: 'SITE_LOCKED', remedy: 'stop' });
  const { key, sealed, metadata } = exampleObject('one');
  const router = await routers.store(SITE, REGION);
  assert((await router.create(key, sealed, metadata)).created);
  custodians.close();
  routers.close();
}

function tag(xml: string, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
}
