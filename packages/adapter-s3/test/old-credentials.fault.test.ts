import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { S3Sites } from '../src/s3-sites.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { TinyStore } from './tiny-store.ts';

const { site, region } = SOME_SETTINGS;
let folder: string;
let store: TinyStore;
let endpoint: string;
const opened: S3Sites[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-credentials-'));
  const unset = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'];
  for (const name of unset) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  store = new TinyStore({ site, region });
  endpoint = `http://127.0.0.1:${await store.listen()}`;
});
afterEach(async () => {
  for (const sites of opened.splice(0)) sites.close();
  store.close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function rotate(accessKeyId: string): Promise<void> {
  await writeFile(
    join(folder, 'credentials'),
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = SECRET\naws_session_token = TOKEN-${accessKeyId}\n`,
  );
}

function open(settings: object = {}): S3Sites {
  const sites = new S3Sites([{ ...SOME_SETTINGS, endpoint, ...settings }]);
  opened.push(sites);
  return sites;
}

const put = async (sites: S3Sites, name: string) => {
  const { key, sealed, metadata } = exampleObject(name);
  return await (await sites.store(site, region)).create(key, sealed, metadata);
};

test('shared credentials that were rotated are read again once the store says that the old ones are over', async () => {
  await rotate('FIRST');
  store.accessKeyId = 'FIRST';
  const sites = open();
  await put(sites, 'one');
  await rotate('SECOND');
  store.accessKeyId = 'SECOND';
  expect(await put(sites, 'two')).toMatchObject({ created: true });
  await rotate('THIRD');
  store.accessKeyId = 'THIRD';
  expect(await put(sites, 'three')).toMatchObject({ created: true });
});

test('credentials that are over and were not rotated are a failure to retry, which goes once they are', async () => {
  await rotate('FIRST');
  store.accessKeyId = 'SECOND';
  const sites = open();
  const error: unknown = await put(sites, 'one').catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: 'SITE_REFUSED',
    remedy: 'retry',
    message: expect.stringContaining('ExpiredToken'),
  });
  expect(String(error)).not.toMatch(/SECRET|TOKEN-/);
  await rotate('SECOND');
  expect(await put(sites, 'one')).toMatchObject({ created: true });
});

test('credentials of the settings stay as they are', async () => {
  await rotate('SECOND');
  store.accessKeyId = 'SECOND';
  await expect(
    put(open({ credentials: { accessKeyId: 'FIRST', secretAccessKey: 'S' } }), 'one'),
  ).rejects.toMatchObject({ code: 'SITE_REFUSED', remedy: 'retry' });
});
