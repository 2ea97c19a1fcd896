import { createHash, randomBytes } from 'node:crypto';
import { objectKey, sha256, sha256OfParts } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import type { CreateResult, ObjectStore } from '@residency/routing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A new, empty site. */
export interface ObjectStoreSite {
  /** Another instance over the same site, as in a second process. */
  open(): ObjectStore;
  /** The bytes at the key, read without the store under test. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** The number of objects in the site, counted without the store under test. */
  count(): Promise<number>;
  close(): Promise<void>;
}

/** The arguments of one `create`. */
export interface ExampleObject {
  readonly key: string;
  readonly sealed: Buffer;
  readonly metadata: ObjectMetadata;
}

/**
 * An attempt to place submission `name`. As in production, two attempts never have the same bytes.
 */
export function exampleObject(name: string, offset = 0, bytes = 700): ExampleObject {
  const sealed = randomBytes(bytes);
  return {
    key: objectKey(sha256OfParts('urn:example', name)),
    sealed,
    metadata: {
      position: `log-1/threat.samples/0/${offset}`,
      sampleSha256: createHash('sha256').update(name).digest('hex'),
      country: 'CH',
      policyDigest: sha256(Buffer.from('policy')),
      sealedSha256: sha256(sealed),
      wrappingKey: 'zurich-20260101T000000Z-0a1b2c3d',
    },
  };
}

const put = (store: ObjectStore, { key, sealed, metadata }: ExampleObject): Promise<CreateResult> =>
  store.create(key, sealed, metadata);

/** The contract of the `ObjectStore` port; every adapter runs it unchanged. */
export function describeObjectStore(
  adapter: string,
  openSite: () => Promise<ObjectStoreSite>,
): void {
  describe(`${adapter} as an ObjectStore`, () => {
    let site: ObjectStoreSite;
    let store: ObjectStore;
    beforeEach(async () => {
      site = await openSite();
      store = site.open();
    });
    afterEach(() => site.close());

    test('names its site', () => {
      expect(store.site).toMatch(/^[a-z0-9][a-z0-9.-]{0,63}$/);
    });

    test.each([1, 700, 5_000_000])(
      'creates an object of %i bytes that holds exactly the sealed message',
      async (bytes) => {
        const object = exampleObject('one', 0, bytes);
        expect(await put(store, object)).toMatchObject({ created: true });
        expect(
          Buffer.compare((await site.read(object.key)) ?? Buffer.alloc(0), object.sealed),
        ).toBe(0);
      },
    );

    test('returns the existing object, complete, if the key is taken, and changes nothing', async () => {
      const first = exampleObject('one', 1);
      const second = exampleObject('one', 2, 900);
      await put(store, first);
      for (const instance of [store, site.open()]) {
        expect(await put(instance, second)).toEqual({
          created: false,
          existing: expect.objectContaining({
            metadata: first.metadata,
            bytes: first.sealed.length,
          }),
        });
      }
      expect(Buffer.compare((await site.read(first.key)) ?? Buffer.alloc(0), first.sealed)).toBe(0);
      expect(await site.count()).toBe(1);
    });

    test('returns the object of a key, or that there is none, and changes nothing', async () => {
      const object = exampleObject('one', 1);
      expect(await store.head(object.key)).toBeUndefined();
      await put(store, object);
      for (const instance of [store, site.open()]) {
        expect(await instance.head(object.key)).toMatchObject({
          metadata: object.metadata,
          bytes: object.sealed.length,
        });
      }
      expect(await store.head(exampleObject('two').key)).toBeUndefined();
      expect(await site.count()).toBe(1);
    });

    test('returns its own object to an attempt that is repeated with the same bytes', async () => {
      const object = exampleObject('one');
      await put(store, object);
      expect(await put(site.open(), object)).toMatchObject({
        created: false,
        existing: { metadata: object.metadata },
      });
    });

    test('keeps metadata of the maximum length', async () => {
      const object = exampleObject('one');
      const metadata = {
        ...object.metadata,
        position: `${'l'.repeat(64)}/${'t'.repeat(249)}/4294967295/9223372036854775807`,
        wrappingKey: 'k'.repeat(128),
      };
      await put(store, { ...object, metadata });
      expect(await put(store, exampleObject('one', 1))).toMatchObject({
        created: false,
        existing: { metadata },
      });
    });

    test("does not keep the caller's buffer", async () => {
      const object = exampleObject('one');
      const written = Buffer.from(object.sealed);
      await put(store, { ...object, sealed: written });
      written.fill(0);
      expect(Buffer.compare((await site.read(object.key)) ?? Buffer.alloc(0), object.sealed)).toBe(
        0,
      );
    });

    test("creates for exactly one of two racing writers, and returns the winner's object to the loser, a hundred times", async () => {
      const other = site.open();
      for (let round = 0; round < 100; round += 1) {
        // Odd rounds: two instances; even rounds: one instance, called twice.
        await raceOnce([store, round % 2 === 0 ? store : other], `race-${round}`);
      }
      expect(await site.count()).toBe(100);
    });

    test('creates for exactly one of eight racing writers', async () => {
      const stores = Array.from({ length: 8 }, () => site.open());
      await raceOnce(stores, 'crowd');
      expect(await site.count()).toBe(1);
    });

    test('creates many objects at once', async () => {
      const objects = Array.from({ length: 60 }, (_, index) =>
        exampleObject(`many-${index}`, index),
      );
      const results = await Promise.all(objects.map((object) => put(store, object)));
      expect(results.every(({ created }) => created)).toBe(true);
      await store.flush();
      expect(await site.count()).toBe(60);
      const again = await Promise.all(
        objects.map((_, index) => put(store, exampleObject(`many-${index}`, 1_000))),
      );
      expect(again).toEqual(
        objects.map(({ metadata, sealed }) => ({
          created: false,
          existing: expect.objectContaining({ metadata, bytes: sealed.length }),
        })),
      );
    });

    test('flushes created objects, found objects, and an empty list', async () => {
      await expect(store.flush()).resolves.toBeUndefined();
      await put(store, exampleObject('one'));
      await expect(Promise.all([store.flush(), store.flush()])).resolves.toEqual([
        undefined,
        undefined,
      ]);
      const other = site.open();
      await put(other, exampleObject('one', 1));
      await expect(other.flush()).resolves.toBeUndefined();
    });

    async function raceOnce(stores: readonly ObjectStore[], name: string): Promise<void> {
      const attempts = stores.map((instance, index) => ({
        instance,
        object: exampleObject(name, index, 500 + index),
      }));
      const results = await Promise.all(
        attempts.map(({ instance, object }) => put(instance, object)),
      );
      const winners = attempts
        .filter((_, index) => results[index]?.created === true)
        .map(({ object }) => object);
      expect(winners).toHaveLength(1);
      const [winner = exampleObject(name)] = winners;
      const losers = results.filter(({ created }) => !created);
      expect(losers).toEqual(
        losers.map(() => ({
          created: false,
          existing: expect.objectContaining({
            metadata: winner.metadata,
            bytes: winner.sealed.length,
          }),
        })),
      );
      expect(Buffer.compare((await site.read(winner.key)) ?? Buffer.alloc(0), winner.sealed)).toBe(
        0,
      );
    }
  });
}
