import { randomBytes } from 'node:crypto';
import type { LedgerStore } from '@residency/auditing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A new, empty store of ledgers. */
export interface LedgerStorePlace {
  /** Another instance over the same store, as in a second process. */
  open(): LedgerStore;
  /** The bytes at the path, read without the store under test. */
  read(path: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

const TILE = '0/tile/0/x001/234.p/7';
const CHECKPOINT = '0/checkpoint';

/** The contract of the `LedgerStore` port; every adapter runs it unchanged. */
export function describeLedgerStore(
  adapter: string,
  openPlace: () => Promise<LedgerStorePlace>,
): void {
  describe(`${adapter} as a LedgerStore`, () => {
    let place: LedgerStorePlace;
    let store: LedgerStore;
    beforeEach(async () => {
      place = await openPlace();
      store = place.open();
    });
    afterEach(() => place.close());

    const standing = async (path: string): Promise<Buffer | undefined> => {
      const [one, other, past] = [
        await store.read(path),
        await place.open().read(path),
        await place.read(path),
      ];
      expect([one, other].map((bytes) => bytes && Buffer.from(bytes).toString('base64'))).toEqual(
        [past, past].map((bytes) => bytes && Buffer.from(bytes).toString('base64')),
      );
      return past && Buffer.from(past);
    };

    test('returns undefined if there is no file', async () => {
      expect(await store.read(TILE)).toBeUndefined();
      expect(await store.read(CHECKPOINT)).toBeUndefined();
    });

    test.each([1, 8_192, 16_777_472])(
      'creates a file of %i bytes, and returns it from every instance',
      async (bytes) => {
        const tile = randomBytes(bytes);
        expect(await store.create(TILE, tile)).toBe('created');
        expect((await standing(TILE))?.equals(tile)).toBe(true);
      },
    );

    test('finds its own bytes if the same file is created again', async () => {
      const tile = randomBytes(700);
      await store.create(TILE, tile);
      for (const instance of [store, place.open()])
        expect(await instance.create(TILE, tile)).toBe('same');
      expect(await standing(TILE)).toEqual(tile);
    });

    test.each([699, 700, 701])(
      'refuses other bytes (%i instead of 700), and keeps the existing file',
      async (length) => {
        const tile = randomBytes(700);
        await store.create(TILE, tile);
        for (const instance of [store, place.open()]) {
          await expect(instance.create(TILE, randomBytes(length))).rejects.toMatchObject({
            code: 'LEDGER_FORK',
            remedy: 'stop',
            message: expect.stringContaining(TILE),
          });
        }
        expect(await standing(TILE)).toEqual(tile);
      },
    );

    test("does not keep the caller's buffer", async () => {
      const tile = randomBytes(700);
      const [written, published] = [Buffer.from(tile), Buffer.from(tile)];
      await store.create(TILE, written);
      await store.publish(CHECKPOINT, published, undefined);
      written.fill(0);
      published.fill(0);
      expect([await standing(TILE), await standing(CHECKPOINT)]).toEqual([tile, tile]);
    });

    test('creates once for racing writers of the same bytes, and reports that to the others', async () => {
      for (let round = 0; round < 20; round += 1) {
        const [path, tile] = [`0/tile/0/${String(round).padStart(3, '0')}`, randomBytes(500)];
        const results = await Promise.all(
          Array.from({ length: 4 }, () => place.open().create(path, tile)),
        );
        expect(results.toSorted()).toEqual(['created', 'same', 'same', 'same']);
        expect(await place.read(path).then((bytes) => bytes && Buffer.from(bytes))).toEqual(tile);
      }
    });

    test('lets one of two writers of different bytes win, and reports a fork to the other', async () => {
      for (let round = 0; round < 20; round += 1) {
        const path = `0/tile/1/${String(round).padStart(3, '0')}`;
        const tiles = [randomBytes(500), randomBytes(500)] as const;
        const results = await Promise.allSettled(
          tiles.map((tile, at) => (at === 0 ? store : place.open()).create(path, tile)),
        );
        const winner = results.findIndex(({ status }) => status === 'fulfilled');
        expect(results[1 - winner]).toMatchObject({
          status: 'rejected',
          reason: { code: 'LEDGER_FORK' },
        });
        expect(await place.read(path).then((bytes) => bytes && Buffer.from(bytes))).toEqual(
          tiles[winner],
        );
      }
    });

    test('creates many files at once, of many ledgers', async () => {
      const files = Array.from({ length: 60 }, (_, at) => ({
        path: `${at % 3}/tile/entries/x${String(at).padStart(3, '0')}/001`,
        bytes: randomBytes(300),
      }));
      expect(
        new Set(await Promise.all(files.map(({ path, bytes }) => store.create(path, bytes)))),
      ).toEqual(new Set(['created']));
      const found = await Promise.all(files.map(({ path }) => place.open().read(path)));
      expect(found.map((bytes) => bytes && Buffer.from(bytes))).toEqual(
        files.map(({ bytes }) => bytes),
      );
    });

    test('publishes in the place of the previous publication', async () => {
      const checkpoints = [randomBytes(200), randomBytes(210), randomBytes(190)];
      let last: Uint8Array | undefined;
      for (const next of checkpoints) {
        await (last === undefined ? store : place.open()).publish(CHECKPOINT, next, last);
        expect(await standing(CHECKPOINT)).toEqual(next);
        last = next;
      }
    });

    test('publishes the same bytes again: a response may have been lost', async () => {
      const [first, second] = [randomBytes(200), randomBytes(200)];
      await store.publish(CHECKPOINT, first, undefined);
      await expect(place.open().publish(CHECKPOINT, first, undefined)).resolves.toBeUndefined();
      await store.publish(CHECKPOINT, second, first);
      await expect(place.open().publish(CHECKPOINT, second, first)).resolves.toBeUndefined();
      expect(await standing(CHECKPOINT)).toEqual(second);
    });

    test('does not publish if the current publication is not the expected one', async () => {
      const [first, second, third] = [randomBytes(200), randomBytes(200), randomBytes(200)];
      await expect(store.publish(CHECKPOINT, second, first)).rejects.toMatchObject({
        code: 'LEDGER_MOVED',
        remedy: 'retry',
      });
      expect(await standing(CHECKPOINT)).toBeUndefined();
      await store.publish(CHECKPOINT, second, undefined);
      for (const replaces of [undefined, first]) {
        await expect(place.open().publish(CHECKPOINT, third, replaces)).rejects.toMatchObject({
          code: 'LEDGER_MOVED',
          remedy: 'retry',
        });
      }
      expect(await standing(CHECKPOINT)).toEqual(second);
    });

    test.each([
      '',
      '/',
      '.',
      '..',
      '../0/checkpoint',
      '0/../../x',
      '0/./checkpoint',
      '0//checkpoint',
      '/0/checkpoint',
      '0/checkpoint/',
      '00/checkpoint',
      'x/checkpoint',
      '0/.hidden',
      '0/a\\b',
      '0/%2e%2e/x',
      '0/a\0b',
      'tmp/x',
    ])('refuses the path %j', async (path) => {
      const refusal = { code: 'INVALID_LEDGER_PATH', remedy: 'stop' };
      await expect(store.read(path)).rejects.toMatchObject(refusal);
      await expect(store.create(path, randomBytes(1))).rejects.toMatchObject(refusal);
      await expect(store.publish(path, randomBytes(1), undefined)).rejects.toMatchObject(refusal);
    });
  });
}
