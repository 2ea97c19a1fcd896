import { randomBytes } from 'node:crypto';
import { setAsideKey, sha256, sha256OfParts, tombstoneBytes } from '@residency/contracts';
import type { ObjectMetadata, Tombstone } from '@residency/contracts';
import { COPY_BYTES } from '@residency/custodianship';
import type { CustodianSite, FoundCopy, NewCopy } from '@residency/custodianship';
import type { ObjectStore } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { exampleObject } from './object-store-suite.ts';

/** A new, empty site. */
export interface CustodianSiteHarness {
  /** Another instance over the same site, as in a second process. */
  open(): CustodianSite;
  /** A router's store over the same site. */
  router(): ObjectStore;
  /** Puts bytes without metadata at a key, without the site under test, over what is there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  /** What is at the key, read without the site under test. */
  look(key: string): Promise<Looked | undefined>;
  /** The keys of all objects, samples and set aside, ascending; not the marker and the probe. */
  keys(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Looked {
  readonly bytes: Buffer;
  readonly metadata?: ObjectMetadata;
}

function copyOf(name: string, offset = 0, bytes = 700): NewCopy & { readonly bytes: Buffer } {
  const { key, sealed, metadata } = exampleObject(name, offset, bytes);
  return { key, bytes: sealed, metadata };
}

const ORDER = '01890a5d-ac96-7749-a7d2-1a2b3c4d5e6f';

/** In the place of the sample of `copyOf(name)`. */
export function exampleTombstone(name: string): Tombstone {
  const { key, metadata } = exampleObject(name);
  const bytes = tombstoneBytes(submissionOf(name), ORDER);
  return { key, bytes, metadata: { ...metadata, sealedSha256: sha256(bytes), erased: ORDER } };
}

const submissionOf = (name: string): string => sha256OfParts('urn:example', name);
const routed = async (site: CustodianSiteHarness, copy: NewCopy): Promise<void> => {
  await site.router().create(copy.key, copy.bytes, copy.metadata);
};
const holding = ({ bytes, metadata }: NewCopy): object => ({ bytes, metadata });

async function readAt(site: CustodianSite, key: string): Promise<FoundCopy> {
  const found = await site.read(key);
  if (found === undefined) throw new Error(`Expected an object under ${key}, found none.`);
  return found;
}

const NOTHING_CHANGED: unknown = { written: false };
const WRITTEN: unknown = expect.objectContaining({ written: true });
const INVALID = { code: 'INVALID_OBJECT_KEY', remedy: 'stop' };

const READING: readonly Behaviour<CustodianSiteHarness>[] = [
  {
    name: 'names its site',
    check: async (site) => {
      expect(site.open().site).toBe(site.router().site);
    },
  },
  {
    name: 'finds nothing under a key that no object has, and changes nothing',
    check: async (site) => {
      expect(await site.open().read(copyOf('one').key)).toBeUndefined();
      expect(await site.open().metadata(copyOf('one').key)).toBeUndefined();
      expect(await site.keys()).toEqual([]);
    },
  },
  {
    name: 'reads what a router created, with its metadata',
    check: async (site) => {
      const one = copyOf('one', 1, 5_000_000);
      await routed(site, one);
      const found = await readAt(site.open(), one.key);
      expect(found.metadata).toEqual(one.metadata);
      expect(found.bytes.equals(one.bytes)).toBe(true);
    },
  },
  {
    name: 'gives the metadata alone of what a router created, of what replaced it, and of a tombstone',
    check: async (site) => {
      const [first, second] = [copyOf('one', 1), copyOf('one', 2)];
      await routed(site, first);
      const custodian = site.open();
      expect(await custodian.metadata(first.key)).toEqual(first.metadata);
      for (const copy of [second, exampleTombstone('one')]) {
        await custodian.replace(copy, await readAt(custodian, first.key));
        for (const instance of [custodian, site.open()])
          expect(await instance.metadata(first.key)).toEqual(copy.metadata);
      }
    },
  },
  {
    name: 'reads bytes without metadata if there is none that a router writes, also no bytes at all',
    check: async (site) => {
      for (const [name, bytes] of [
        ['one', randomBytes(300)],
        ['two', Buffer.alloc(0)],
      ] as const) {
        const { key } = copyOf(name);
        await site.put(key, bytes);
        const found = await readAt(site.open(), key);
        expect(found.bytes).toEqual(bytes);
        expect(found).not.toHaveProperty('metadata');
        expect(await site.open().metadata(key)).toBeUndefined();
      }
    },
  },
  {
    name: 'refuses to read an object of more than 64 MiB',
    check: async (site) => {
      const { key } = copyOf('one');
      await site.put(key, Buffer.alloc(COPY_BYTES + 1));
      await expect(site.open().read(key)).rejects.toMatchObject({
        code: 'COPY_TOO_LARGE',
        remedy: 'park',
      });
    },
  },
  {
    name: "refuses every key that is not a sample's",
    check: async (site) => {
      const { bytes, metadata } = copyOf('one');
      const custodian = site.open();
      const found: FoundCopy = { bytes, tag: 'any' };
      for (const key of [
        '',
        'residency-site.json',
        'residency-site.probe',
        `samples/${'0'.repeat(64)}`,
        `samples/../../${'0'.repeat(64)}`,
        setAsideKey(submissionOf('one'), sha256(bytes)),
      ]) {
        await expect(custodian.read(key)).rejects.toMatchObject(INVALID);
        await expect(custodian.metadata(key)).rejects.toMatchObject(INVALID);
        await expect(custodian.create({ key, bytes, metadata })).rejects.toMatchObject(INVALID);
        await expect(custodian.replace({ key, bytes, metadata }, found)).rejects.toMatchObject(
          INVALID,
        );
      }
      for (const submission of ['', '..', 'A'.repeat(64), `${'0'.repeat(64)}/..`])
        for (const refused of [
          custodian.setAside(submission, found),
          custodian.purge(exampleTombstone('one'), submission, []),
        ])
          await expect(refused).rejects.toMatchObject(INVALID);
      await expect(
        custodian.purge(exampleTombstone('one'), submissionOf('one'), ['..']),
      ).rejects.toMatchObject(INVALID);
      expect(await site.keys()).toEqual([]);
    },
  },
];

const CREATING: readonly Behaviour<CustodianSiteHarness>[] = [
  {
    name: 'creates an object that every custodian reads and every router finds',
    check: async (site) => {
      const one = copyOf('one', 1, 5_000_000);
      const custodian = site.open();
      expect(await custodian.create(one)).toEqual(WRITTEN);
      await custodian.flush();
      for (const instance of [custodian, site.open()]) {
        const found = await readAt(instance, one.key);
        expect(found.metadata).toEqual(one.metadata);
        expect(found.bytes.equals(one.bytes)).toBe(true);
      }
      expect(await site.router().head(one.key)).toMatchObject({
        metadata: one.metadata,
        bytes: one.bytes.length,
      });
      expect(await site.keys()).toEqual([one.key]);
    },
  },
  {
    name: "creates nothing over a router's object, a custodian's, or one without metadata",
    check: async (site) => {
      const [one, two, three] = [copyOf('one'), copyOf('two'), copyOf('three')];
      await routed(site, one);
      await site.open().create(two);
      await site.put(three.key, three.bytes);
      for (const custodian of [site.open(), site.open()])
        for (const name of ['one', 'two', 'three'])
          expect(await custodian.create(copyOf(name, 9))).toEqual(NOTHING_CHANGED);
      for (const { key, bytes } of [one, two, three])
        expect((await site.look(key))?.bytes).toEqual(bytes);
    },
  },
  {
    name: 'creates for exactly one of racing custodians and routers, twenty times',
    check: async (site) => {
      const [first, second, router] = [site.open(), site.open(), site.router()];
      for (let round = 0; round < 20; round += 1) {
        const copies = [1, 2, 3].map((offset) => copyOf(`race-${round}`, offset));
        const [one = copyOf(''), two = copyOf(''), three = copyOf('')] = copies;
        const results = await Promise.all([
          first.create(one).then(({ written }) => written),
          second.create(two).then(({ written }) => written),
          router.create(three.key, three.bytes, three.metadata).then(({ created }) => created),
        ]);
        const winners = copies.filter((_, at) => results[at] === true);
        expect(winners).toHaveLength(1);
        expect(await site.look(one.key)).toEqual(holding(winners[0] ?? one));
      }
    },
  },
  {
    name: "does not keep the caller's buffer",
    check: async (site) => {
      const [one, two] = [copyOf('one', 1), copyOf('one', 2)];
      const custodian = site.open();
      const written = Buffer.from(one.bytes);
      await custodian.create({ ...one, bytes: written });
      written.fill(0);
      expect((await site.look(one.key))?.bytes).toEqual(one.bytes);
      const found = await readAt(custodian, one.key);
      const replacing = Buffer.from(two.bytes);
      await custodian.replace({ ...two, bytes: replacing }, found);
      replacing.fill(0);
      await custodian.setAside(submissionOf('one'), found);
      found.bytes.fill(0);
      expect((await site.look(one.key))?.bytes).toEqual(two.bytes);
      expect((await site.look(setAsideKey(submissionOf('one'), sha256(one.bytes))))?.bytes).toEqual(
        one.bytes,
      );
    },
  },
  {
    name: 'works beside a router that creates objects in the same site',
    check: async (site) => {
      const [custodian, router] = [site.open(), site.router()];
      const copies = Array.from({ length: 40 }, (_, at) => copyOf(`many-${at}`, at));
      await Promise.all(
        copies.map(async (copy, at) => {
          if (at % 2 === 0) await custodian.create(copy);
          else await router.create(copy.key, copy.bytes, copy.metadata);
        }),
      );
      await Promise.all([custodian.flush(), router.flush(), custodian.flush()]);
      for (const copy of copies) {
        expect(await site.look(copy.key)).toEqual(holding(copy));
        expect(await custodian.read(copy.key)).toMatchObject(holding(copy));
      }
    },
  },
];

const REPLACING: readonly Behaviour<CustodianSiteHarness>[] = [
  {
    name: 'replaces exactly what it found, and a router then finds the new object',
    check: async (site) => {
      const [first, second] = [copyOf('one', 1), copyOf('one', 2, 900)];
      await routed(site, first);
      const custodian = site.open();
      const found = await readAt(custodian, first.key);
      expect(await custodian.replace(second, found)).toEqual(WRITTEN);
      await custodian.flush();
      expect(await site.open().read(first.key)).toMatchObject(holding(second));
      expect(await site.router().head(first.key)).toMatchObject({
        metadata: second.metadata,
        bytes: 900,
      });
      expect(await site.keys()).toEqual([first.key]);
    },
  },
  {
    name: 'replaces bytes without metadata, and no bytes',
    check: async (site) => {
      for (const bytes of [randomBytes(300), Buffer.alloc(0)]) {
        const copy = copyOf('one', bytes.length);
        await site.put(copy.key, bytes);
        const custodian = site.open();
        expect(await custodian.replace(copy, await readAt(custodian, copy.key))).toEqual(WRITTEN);
        expect(await site.look(copy.key)).toEqual(holding(copy));
      }
    },
  },
  {
    name: 'gives the right bytes the metadata that they lack',
    check: async (site) => {
      const copy = copyOf('one');
      await site.put(copy.key, copy.bytes);
      const custodian = site.open();
      expect(await custodian.replace(copy, await readAt(custodian, copy.key))).toEqual(WRITTEN);
      expect(await site.look(copy.key)).toEqual(holding(copy));
    },
  },
  {
    name: 'does not replace what came in the place of what it found',
    check: async (site) => {
      const [first, second, third] = [copyOf('one', 1), copyOf('one', 2), copyOf('one', 3)];
      await routed(site, first);
      const [slow, quick] = [site.open(), site.open()];
      const found = await readAt(slow, first.key);
      await quick.replace(second, await readAt(quick, first.key));
      expect(await slow.replace(third, found)).toEqual(NOTHING_CHANGED);
      expect(await site.look(first.key)).toEqual(holding(second));
      await site.put(first.key, first.bytes.subarray(1));
      expect(await quick.replace(third, found)).toEqual(NOTHING_CHANGED);
      expect((await site.look(first.key))?.bytes).toEqual(first.bytes.subarray(1));
    },
  },
  {
    name: 'does not replace, or create, what is gone',
    check: async (site) => {
      const [first, second] = [copyOf('one', 1), copyOf('one', 2)];
      await routed(site, first);
      const custodian = site.open();
      const found = await readAt(custodian, first.key);
      await site.remove(first.key);
      expect(await custodian.replace(second, found)).toEqual(NOTHING_CHANGED);
      expect(await site.keys()).toEqual([]);
    },
  },
];

const SETTING_ASIDE: readonly Behaviour<CustodianSiteHarness>[] = [
  {
    name: 'keeps what it found, with its metadata, and leaves the object',
    check: async (site) => {
      const one = copyOf('one', 1, 5_000_000);
      await routed(site, one);
      const custodian = site.open();
      const digest = sha256(one.bytes);
      const key = setAsideKey(submissionOf('one'), digest);
      const found = await readAt(custodian, one.key);
      expect(await custodian.setAside(submissionOf('one'), found)).toEqual({ key, sha256: digest });
      await custodian.flush();
      for (const each of [key, one.key]) {
        const looked = await site.look(each);
        expect(looked?.metadata).toEqual(one.metadata);
        expect(looked?.bytes.equals(one.bytes)).toBe(true);
      }
      expect(await site.keys()).toEqual([key, one.key].toSorted());
    },
  },
  {
    name: 'keeps the same bytes once, whoever keeps them again',
    check: async (site) => {
      const one = copyOf('one', 1);
      await site.put(one.key, one.bytes);
      const custodian = site.open();
      const found = await readAt(custodian, one.key);
      const [first, again, other] = [
        await custodian.setAside(submissionOf('one'), found),
        await custodian.setAside(submissionOf('one'), found),
        await site.open().setAside(submissionOf('one'), found),
      ];
      expect([again, other]).toEqual([first, first]);
      expect(
        await Promise.all([1, 2].map(() => custodian.setAside(submissionOf('two'), found))),
      ).toHaveLength(2);
      const looked = await site.look(first.key);
      expect(looked?.bytes).toEqual(one.bytes);
      expect(looked).not.toHaveProperty('metadata');
      expect(await site.keys()).toHaveLength(3);
    },
  },
  {
    name: 'keeps all that a key ever had, also no bytes',
    check: async (site) => {
      const custodian = site.open();
      const { key } = copyOf('one');
      const contents = [randomBytes(300), Buffer.alloc(0), randomBytes(700)];
      const kept: string[] = [];
      for (const bytes of contents) {
        await site.put(key, bytes);
        const found = await readAt(custodian, key);
        kept.push((await custodian.setAside(submissionOf('one'), found)).key);
        expect(await custodian.replace(copyOf('one', kept.length), found)).toEqual(WRITTEN);
      }
      for (const [at, each] of kept.entries())
        expect((await site.look(each))?.bytes).toEqual(contents[at]);
      expect(await site.keys()).toEqual([...kept, key].toSorted());
    },
  },
  {
    name: 'refuses to keep bytes whose key has others, which stay',
    check: async (site) => {
      const one = copyOf('one');
      await routed(site, one);
      const custodian = site.open();
      const key = setAsideKey(submissionOf('one'), sha256(one.bytes));
      const strange = randomBytes(700);
      await site.put(key, strange);
      const found = await readAt(custodian, one.key);
      await expect(custodian.setAside(submissionOf('one'), found)).rejects.toMatchObject({
        code: 'SET_ASIDE_DIFFERS',
        remedy: 'park',
      });
      expect((await site.look(key))?.bytes).toEqual(strange);
    },
  },
];

const PURGED_NOTHING = { versions: 0, setAside: 0, uploads: 0 };

/** Puts the tombstone of `name` in the place of what has the key, as a custodian does. */
async function bury(custodian: CustodianSite, name: string): Promise<Tombstone> {
  const tombstone = exampleTombstone(name);
  const found = await custodian.read(tombstone.key);
  expect(
    await (found === undefined ? custodian.create(tombstone) : custodian.replace(tombstone, found)),
  ).toEqual(WRITTEN);
  return tombstone;
}

const PURGING: readonly Behaviour<CustodianSiteHarness>[] = [
  {
    name: 'reads a tombstone with its order, and a router finds it where it would create',
    check: async (site) => {
      const [free, taken] = [copyOf('free'), copyOf('taken')];
      await routed(site, taken);
      const custodian = site.open();
      for (const [name, late] of [
        ['free', free],
        ['taken', copyOf('taken', 9)],
      ] as const) {
        const tombstone = await bury(custodian, name);
        await custodian.flush();
        expect(await site.open().read(tombstone.key)).toMatchObject(holding(tombstone));
        const existing = { metadata: tombstone.metadata, bytes: tombstone.bytes.length };
        expect(await site.router().head(tombstone.key)).toMatchObject(existing);
        expect(await site.router().create(late.key, late.bytes, late.metadata)).toMatchObject({
          created: false,
          existing,
        });
        expect(await site.look(tombstone.key)).toEqual(holding(tombstone));
      }
    },
  },
  {
    name: 'purges nothing where nothing was set aside, and leaves the tombstone',
    check: async (site) => {
      const custodian = site.open();
      const tombstone = await bury(custodian, 'one');
      expect(await custodian.purge(tombstone, submissionOf('one'), [])).toEqual(PURGED_NOTHING);
      await custodian.flush();
      expect(await site.keys()).toEqual([tombstone.key]);
      expect(await site.look(tombstone.key)).toEqual(holding(tombstone));
    },
  },
  {
    name: 'replaces all that was set aside of the submission, with its metadata, and of no other',
    check: async (site) => {
      const custodian = site.open();
      const [first, second, other] = [copyOf('one', 1), copyOf('one', 2, 900), copyOf('two', 3)];
      await routed(site, first);
      const kept = [
        await custodian.setAside(submissionOf('one'), await readAt(custodian, first.key)),
      ];
      await site.put(first.key, second.bytes);
      kept.push(await custodian.setAside(submissionOf('one'), await readAt(custodian, first.key)));
      await routed(site, other);
      const stays = await custodian.setAside(
        submissionOf('two'),
        await readAt(custodian, other.key),
      );
      const tombstone = await bury(custodian, 'one');
      expect(await custodian.purge(tombstone, submissionOf('one'), [])).toMatchObject({
        setAside: 2,
      });
      await custodian.flush();
      for (const { key } of kept) {
        const looked = await site.look(key);
        expect(looked?.bytes).toEqual(tombstone.bytes);
        expect(looked).not.toHaveProperty('metadata');
      }
      for (const key of [stays.key, other.key])
        expect(await site.look(key)).toEqual(holding(other));
      expect(await site.look(first.key)).toEqual(holding(tombstone));
      expect(await site.keys()).toEqual(
        [...kept.map(({ key }) => key), first.key, stays.key, other.key].toSorted(),
      );
    },
  },
  {
    name: 'lets nobody keep the given bytes aside any more, whether or not somebody has',
    check: async (site) => {
      const custodian = site.open();
      const [first, second] = [copyOf('one', 1), copyOf('one', 2)];
      const found: FoundCopy[] = [];
      await routed(site, first);
      found.push(await readAt(custodian, first.key));
      await site.put(second.key, second.bytes);
      found.push(await readAt(custodian, second.key));
      for (const one of found.slice(0, 1)) await custodian.setAside(submissionOf('one'), one);
      const tombstone = await bury(custodian, 'one');
      const digests = [first, second].map(({ bytes }) => sha256(bytes));
      expect(await custodian.purge(tombstone, submissionOf('one'), digests)).toMatchObject({
        setAside: 1,
      });
      await custodian.flush();
      for (const instance of [custodian, site.open()])
        for (const one of found)
          await expect(instance.setAside(submissionOf('one'), one)).rejects.toMatchObject({
            code: 'SET_ASIDE_DIFFERS',
            remedy: 'park',
          });
      for (const digest of digests)
        expect(await site.look(setAsideKey(submissionOf('one'), digest))).toEqual({
          bytes: tombstone.bytes,
        });
    },
  },
  {
    name: 'changes nothing when it is repeated, by whomever',
    check: async (site) => {
      const custodian = site.open();
      const one = copyOf('one', 1);
      await routed(site, one);
      const { key } = await custodian.setAside(
        submissionOf('one'),
        await readAt(custodian, one.key),
      );
      const tombstone = await bury(custodian, 'one');
      const digests = [sha256(one.bytes), 'f'.repeat(64)];
      await custodian.purge(tombstone, submissionOf('one'), digests);
      const keys = await site.keys();
      for (const instance of [custodian, site.open()])
        expect(await instance.purge(tombstone, submissionOf('one'), digests)).toEqual(
          PURGED_NOTHING,
        );
      expect(await site.keys()).toEqual(keys);
      expect((await site.look(key))?.bytes).toEqual(tombstone.bytes);
    },
  },
];

const BEHAVIOURS = [...READING, ...CREATING, ...REPLACING, ...SETTING_ASIDE, ...PURGING];

/** The contract of the `CustodianSite` port; every adapter runs it unchanged. */
export function describeCustodianSite(
  adapter: string,
  open: () => Promise<CustodianSiteHarness>,
): void {
  describeBehaviours(adapter, 'CustodianSite', BEHAVIOURS, open);
}
