import type { SiteIdentity } from '@residency/contracts';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { exampleObject } from './object-store-suite.ts';
import type { ExampleObject } from './object-store-suite.ts';

/** An open store of a site of its own, with its marker. */
export interface MarkedSite {
  readonly identity: SiteIdentity;
  /** Creates an object with the store under test; `true`: it did. */
  create(object: ExampleObject): Promise<boolean>;
  /** Replaces the marker without the store under test; `undefined`: deletes it. */
  mark(identity: SiteIdentity | undefined): Promise<void>;
  /** Advances the clock. */
  pass(milliseconds: number): void;
  /** The site is unreachable while `work` runs. */
  whileUnreachable(work: () => Promise<void>): Promise<void>;
  /** The number of objects in the site, counted without the store under test. */
  count(): Promise<number>;
  close(): Promise<void>;
}

const MINUTE = 60_000;
const ANOTHER: SiteIdentity = { region: 'moscow', site: 'mow-9' };
const refusal: Readonly<Record<string, unknown>> = {
  code: 'SITE_MARKER_MISMATCH',
  remedy: 'stop',
  message: expect.stringContaining('mow-9'),
};

let names = 0;
function put(site: MarkedSite): Promise<boolean> {
  names += 1;
  return site.create(exampleObject(`marked-${names}`));
}

async function fail(site: MarkedSite): Promise<void> {
  await site.whileUnreachable(async () => {
    await expect(put(site)).rejects.toMatchObject({ remedy: 'retry' });
  });
}

const BEHAVIOURS: readonly Behaviour<MarkedSite>[] = [
  {
    name: 'accepts writes as long as the marker is its own, through failures and for hours',
    check: async (site) => {
      await put(site);
      await fail(site);
      site.pass(60 * MINUTE);
      expect(await put(site)).toBe(true);
      expect(await site.count()).toBe(2);
    },
  },
  {
    name: "whose marker is replaced by another site's is refused within a minute of the last check",
    check: async (site) => {
      await put(site);
      await site.mark(ANOTHER);
      site.pass(MINUTE);
      expect(await Promise.allSettled([put(site), put(site)])).toEqual(
        [1, 2].map(() => ({ status: 'rejected', reason: expect.objectContaining(refusal) })),
      );
      expect(await site.count()).toBe(1);
    },
  },
  {
    name: "whose marker is replaced by another site's is refused before the first write after a failure",
    check: async (site) => {
      await put(site);
      await fail(site);
      await site.mark(ANOTHER);
      await expect(put(site)).rejects.toMatchObject(refusal);
      expect(await site.count()).toBe(1);
    },
  },
  {
    name: 'that was idle for more than a minute is checked before its next write',
    check: async (site) => {
      await put(site);
      site.pass(10 * MINUTE);
      await site.mark(ANOTHER);
      await expect(put(site)).rejects.toMatchObject(refusal);
      expect(await site.count()).toBe(1);
    },
  },
  {
    name: 'whose marker is deleted is refused, and nothing is recreated',
    check: async (site) => {
      await put(site);
      await site.mark(undefined);
      site.pass(MINUTE);
      await expect(put(site)).rejects.toMatchObject({
        code: 'SITE_MARKER_MISSING',
        remedy: 'stop',
      });
      expect(await site.count()).toBe(1);
    },
  },
  {
    name: 'that was refused stays refused until its own marker is restored',
    check: async (site) => {
      await put(site);
      await site.mark(ANOTHER);
      site.pass(MINUTE);
      for (let attempt = 0; attempt < 3; attempt += 1)
        await expect(put(site)).rejects.toMatchObject(refusal);
      await site.mark(site.identity);
      expect(await put(site)).toBe(true);
    },
  },
];

/**
 * A site whose marker changes during use (DESIGN §2.9). Every adapter of the `ObjectStore` port and
 * of the `CustodianSite` port runs it unchanged.
 */
export function describeSiteMarker(adapter: string, open: () => Promise<MarkedSite>): void {
  describeBehaviours(adapter, 'site that is looked at again', BEHAVIOURS, open);
}
