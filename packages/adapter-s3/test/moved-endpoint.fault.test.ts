import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { S3Sites } from '../src/s3-sites.ts';
import { SOME_SETTINGS } from './fake-bucket.ts';
import { Name, TinyStore } from './tiny-store.ts';

const { site, region } = SOME_SETTINGS;
let zurich: TinyStore;
let moscow: TinyStore;
let moscowPort: number;
let name: Name;
let sites: S3Sites;
let clock: number;
beforeEach(async () => {
  [zurich, moscow, clock] = [
    new TinyStore({ site, region }),
    new TinyStore({ site: 'mow-1', region: 'moscow' }),
    0,
  ];
  name = new Name(await zurich.listen());
  moscowPort = await moscow.listen();
  sites = new S3Sites(
    [
      {
        ...SOME_SETTINGS,
        endpoint: `http://127.0.0.1:${await name.listen()}`,
        credentials: { accessKeyId: 'A', secretAccessKey: 'S' },
      },
    ],
    { now: () => clock },
  );
});
afterEach(() => {
  sites.close();
  name.close();
  zurich.close();
  moscow.close();
});

const put = async (count: number, prefix: string) => {
  const store = await sites.store(site, region);
  return await Promise.allSettled(
    Array.from({ length: count }, (_, at) => exampleObject(`${prefix}-${at}`)).map(
      ({ key, sealed, metadata }) => store.create(key, sealed, metadata),
    ),
  );
};
const refused = {
  status: 'rejected',
  reason: expect.objectContaining({ code: 'SITE_MARKER_MISMATCH', remedy: 'stop' }),
};

test("a name that leads to another region's store is found within a minute, although connections to the first one are open", async () => {
  await put(8, 'before');
  name.port = moscowPort;
  clock = 60_000;
  await expect(sites.store(site, region)).rejects.toMatchObject({ code: 'SITE_MARKER_MISMATCH' });
  expect([zurich.puts.length, moscow.puts.length]).toEqual([8, 0]);
});

test('a write that is repeated on a new connection, after the store went away, asks first whose store that is', async () => {
  await put(8, 'before');
  name.port = moscowPort;
  zurich.close();
  expect(await put(8, 'after')).toEqual(Array.from({ length: 8 }, () => refused));
  expect([zurich.puts.length, moscow.puts.length]).toEqual([8, 0]);
});

test('after a look no write uses a connection from before it', async () => {
  await put(8, 'before');
  const elsewhere = new TinyStore({ site, region });
  name.port = await elsewhere.listen();
  clock = 60_000;
  expect((await put(8, 'after')).map(({ status }) => status)).toEqual(
    Array.from({ length: 8 }, () => 'fulfilled'),
  );
  expect([zurich.puts.length, elsewhere.puts.length]).toEqual([8, 8]);
  elsewhere.close();
});
