import { CodedError } from '@residency/coded-error';
import { MarkerWatch } from '@residency/contracts';
import { beforeEach, expect, test } from 'vitest';
import type { FoundEntry, FoundObject, SiteReader } from '../src/ports/site-reader.ts';
import { watched } from '../src/watched.ts';

const swapped = new CodedError({
  code: 'SITE_MARKER_MISMATCH',
  message: "Another site's.",
  remedy: 'stop',
});
const entry: FoundEntry = { key: 'samples/one', foreign: false };

let clock: number;
let looks: number;
let isSwapped: boolean;
let entries: readonly FoundEntry[];
let object: () => FoundObject | undefined;
let reader: SiteReader;
beforeEach(() => {
  [clock, looks, isSwapped, entries] = [0, 0, false, [entry, entry]];
  object = () => ({ bytes: Buffer.from('x') });
  const bare: SiteReader = {
    site: 'zrh-1',
    read: async () => object(),
    list: async function* () {
      yield* entries;
    },
  };
  reader = watched(
    bare,
    new MarkerWatch(
      async () => {
        looks += 1;
        if (isSwapped) throw swapped;
      },
      { now: () => clock },
    ),
  );
});

test('the marker is read again a minute after the last read, and not before', async () => {
  await reader.read('samples/one');
  await reader.read('samples/one');
  expect(looks).toBe(1);
  [clock, isSwapped] = [60_000, true];
  await expect(reader.read('samples/one')).rejects.toBe(swapped);
});

test('an object counts as absent only if the marker is still right', async () => {
  await reader.read('samples/one');
  object = () => undefined;
  expect(await reader.read('samples/one')).toBeUndefined();
  isSwapped = true;
  await expect(reader.read('samples/one')).rejects.toBe(swapped);
});

test('a list counts as complete only if the marker is right at its end', async () => {
  expect(await Array.fromAsync(reader.list())).toEqual([entry, entry]);
  entries = [];
  isSwapped = true;
  clock = 59_000;
  await expect(Array.fromAsync(reader.list())).rejects.toBe(swapped);
});

test('a list that takes longer than a minute reads the marker again during it', async () => {
  const listing = reader.list()[Symbol.asyncIterator]();
  await listing.next();
  [clock, isSwapped] = [60_000, true];
  await expect(listing.next()).rejects.toBe(swapped);
});

test('after a failure the marker is read before anything else', async () => {
  await reader.read('samples/one');
  const away = new CodedError({ code: 'SITE_UNREACHABLE', message: 'Away.', remedy: 'retry' });
  object = () => {
    throw away;
  };
  await expect(reader.read('samples/one')).rejects.toBe(away);
  isSwapped = true;
  await expect(reader.read('samples/one')).rejects.toBe(swapped);
});
