import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { S3LedgerStore } from '../src/s3-ledger-store.ts';
import { FakeBucket, OverwritingBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { emptyBucket } from './some-bucket.ts';
import type { SomeBucket } from './some-bucket.ts';

const TILE = '3/tile/0/000.p/9';
const CHECKPOINT = '3/checkpoint';
const [ONE, TWO, THREE] = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')];
let bucket: SomeBucket;
let proxy: FaultProxy;
let store: S3LedgerStore;

beforeEach(async () => {
  bucket = await emptyBucket();
  proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  store = new S3LedgerStore({
    ...bucket.settings,
    endpoint: await proxy.listen(),
    timeouts: { connectMs: 1_000, requestMs: 400 },
  });
  // By now the store has shown that it honours conditions.
  await store.create('3/tile/entries/000', ONE);
});
afterEach(async () => {
  store.close();
  await proxy.close();
});

describe('a PUT that meets a fault once', () => {
  test.each<Fault>([
    'failed',
    { status: 500, code: 'InternalError' },
    { status: 503, code: 'SlowDown' },
    { status: 409, code: 'ConditionalRequestConflict' },
  ])('and was not carried out is repeated (%j)', async (fault) => {
    proxy.next('PUT', fault);
    expect(await store.create(TILE, ONE)).toBe('created');
    proxy.next('PUT', fault);
    await store.publish(CHECKPOINT, ONE, undefined);
    proxy.next('PUT', fault);
    await store.publish(CHECKPOINT, TWO, ONE);
    expect([await bucket.read(TILE), await bucket.read(CHECKPOINT)]).toEqual([ONE, TWO]);
  });

  test.each<Fault>(['failed-but-persisted', 'stalled-but-persisted'])(
    'but was carried out finds its own bytes (%j)',
    async (fault) => {
      proxy.next('PUT', fault);
      expect(await store.create(TILE, ONE)).toBe('same');
      proxy.next('PUT', fault);
      await store.publish(CHECKPOINT, ONE, undefined);
      proxy.next('PUT', fault);
      await store.publish(CHECKPOINT, TWO, ONE);
      expect([await bucket.read(TILE), await bucket.read(CHECKPOINT)]).toEqual([ONE, TWO]);
    },
  );
});

test.each<[Fault, string]>([
  ['failed', 'SITE_UNREACHABLE'],
  [{ status: 403, code: 'AccessDenied' }, 'SITE_REFUSED'],
  [{ status: 404, code: 'NoSuchBucket' }, 'SITE_MISSING'],
  [{ status: 409, code: 'ConditionalRequestConflict' }, 'SITE_CONTENDED'],
])(
  'a PUT that keeps failing ends as an error to retry, and is repeated (%j: %s)',
  async (fault, code) => {
    proxy.always('PUT', fault);
    await expect(store.create(TILE, ONE)).rejects.toMatchObject({ code, remedy: 'retry' });
    await expect(store.publish(CHECKPOINT, ONE, undefined)).rejects.toMatchObject({
      code,
      remedy: 'retry',
    });
    proxy.heal();
    expect(await store.create(TILE, ONE)).toBe('created');
    await store.publish(CHECKPOINT, ONE, undefined);
  },
);

test('a GET that fails is no missing file', async () => {
  await store.create(TILE, ONE);
  proxy.always('GET', { status: 403, code: 'AccessDenied' });
  await expect(store.read(TILE)).rejects.toMatchObject({ code: 'SITE_REFUSED', remedy: 'retry' });
  await expect(store.publish(CHECKPOINT, ONE, undefined)).rejects.toMatchObject({
    code: 'SITE_REFUSED',
  });
  proxy.heal();
  expect(await bucket.read(CHECKPOINT)).toBeUndefined();
});

test('whoever looked before another one published does not publish over it', async () => {
  const fake = new FakeBucket();
  const slow = new S3LedgerStore(SOME_SETTINGS, fake, async () => {});
  await slow.publish(CHECKPOINT, ONE, undefined);
  const replace = fake.replace.bind(fake);
  fake.replace = async (object, etag) => {
    // Between its look and its put.
    fake.replace = replace;
    await new S3LedgerStore(SOME_SETTINGS, fake).publish(CHECKPOINT, TWO, ONE);
    return await replace(object, etag);
  };
  await expect(slow.publish(CHECKPOINT, THREE, ONE)).rejects.toMatchObject({
    code: 'LEDGER_MOVED',
    remedy: 'retry',
  });
  expect(fake.objects.get(CHECKPOINT)?.bytes).toEqual(TWO);
});

test('files say how they may be cached, and are signed for stores that lock them', async () => {
  await store.create(TILE, ONE);
  await store.publish(CHECKPOINT, ONE, undefined);
  expect(
    proxy.seen
      .filter(({ method }) => method === 'PUT')
      .slice(-2)
      .map(({ headers }) => [
        headers['content-type'],
        headers['cache-control'],
        headers['content-md5'],
        headers['if-none-match'],
      ]),
  ).toEqual([
    [
      'application/octet-stream',
      'public, max-age=31536000, immutable',
      expect.stringMatching(/==$/),
      '*',
    ],
    ['text/plain; charset=utf-8', 'no-cache', expect.stringMatching(/==$/), '*'],
  ]);
});

describe('a store that ignores conditions', () => {
  const nothing = async (): Promise<void> => {};

  test('takes no file and no checkpoint', async () => {
    const fake = new OverwritingBucket();
    const ledgers = new S3LedgerStore(SOME_SETTINGS, fake, nothing);
    const refusal = { code: 'LEDGER_NOT_CONDITIONAL', remedy: 'stop' };
    await expect(ledgers.create(TILE, ONE)).rejects.toMatchObject(refusal);
    await expect(ledgers.publish(CHECKPOINT, ONE, undefined)).rejects.toMatchObject(refusal);
    expect([...fake.objects.keys()]).toEqual(['residency-ledger.probe']);
  });

  test('is found within a minute if it did not at first, and a file is not overwritten meanwhile', async () => {
    const fake = new OverwritingBucket();
    fake.overwrites = false;
    let clock = 0;
    const ledgers = new S3LedgerStore(SOME_SETTINGS, fake, nothing, () => clock);
    await ledgers.create(TILE, ONE);
    await ledgers.publish(CHECKPOINT, ONE, undefined);
    fake.overwrites = true;
    await expect(ledgers.create(TILE, TWO)).rejects.toMatchObject({ code: 'LEDGER_FORK' });
    clock = 60_000;
    await expect(ledgers.publish(CHECKPOINT, TWO, ONE)).rejects.toMatchObject({
      code: 'LEDGER_NOT_CONDITIONAL',
    });
    expect([fake.objects.get(TILE)?.bytes, fake.objects.get(CHECKPOINT)?.bytes]).toEqual([
      ONE,
      ONE,
    ]);
  });

  test('of If-Match alone is found too', async () => {
    const fake = new OverwritingBucket();
    fake.putIfAbsent = FakeBucket.prototype.putIfAbsent.bind(fake);
    await expect(
      new S3LedgerStore(SOME_SETTINGS, fake, nothing).publish(CHECKPOINT, ONE, undefined),
    ).rejects.toMatchObject({
      code: 'LEDGER_NOT_CONDITIONAL',
      message: expect.stringContaining('If-Match'),
    });
  });
});
