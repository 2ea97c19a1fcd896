import type { RegisterStore } from '@residency/custodianship';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';

/** An empty place for one register. */
export interface RegisterStoreHarness {
  /** As a process that just started opens it. */
  readonly open: () => RegisterStore;
  readonly close: () => Promise<void>;
}

function* broken(): Generator<Uint8Array> {
  yield Buffer.alloc(3_000_000);
  throw new Error('broken');
}

const BEHAVIOURS: readonly Behaviour<RegisterStoreHarness>[] = [
  {
    name: 'has nothing at first',
    async check({ open }) {
      expect(await open().read()).toBeUndefined();
    },
  },
  {
    name: 'gives the next process the last bytes, byte for byte, and their time',
    async check({ open }) {
      const since = Date.now() - 1_000;
      const store = open();
      await store.replace([Buffer.from('a longer one than the next')]);
      const pieces = Array.from({ length: 5_000 }, (_, n) => Buffer.alloc(n % 700, n));
      const whole = Buffer.concat(pieces);
      expect(await store.replace(pieces)).toBeGreaterThanOrEqual(whole.length);
      const found = await open().read();
      expect(found?.bytes.equals(whole)).toBe(true);
      expect(found?.at).toBeGreaterThan(since);
    },
  },
  {
    name: 'keeps no bytes as well as many',
    async check({ open }) {
      await open().replace([]);
      expect((await open().read())?.bytes.length).toBe(0);
    },
  },
  {
    name: 'keeps the former bytes if the next ones fail halfway',
    async check({ open }) {
      await expect(open().replace(broken())).rejects.toThrow('broken');
      expect(await open().read()).toBeUndefined();
      await open().replace([Buffer.from('former')]);
      await expect(open().replace(broken())).rejects.toThrow('broken');
      expect((await open().read())?.bytes.toString()).toBe('former');
      await open().replace([Buffer.from('next')]);
      expect((await open().read())?.bytes.toString()).toBe('next');
    },
  },
  {
    name: 'gives bytes that the caller may change',
    async check({ open }) {
      await open().replace([Buffer.from('abc')]);
      (await open().read())?.bytes.fill(0);
      expect((await open().read())?.bytes.toString()).toBe('abc');
    },
  },
];

/** The contract of the `RegisterStore` port; every adapter runs it unchanged. */
export function describeRegisterStore(
  adapter: string,
  open: () => Promise<RegisterStoreHarness>,
): void {
  describeBehaviours(adapter, 'RegisterStore', BEHAVIOURS, open);
}
