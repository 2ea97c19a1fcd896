import { expect, test } from 'vitest';
import {
  FaultyCustodianSite,
  MemoryCustodianSite,
  MemoryObjectStore,
  exampleObject,
  faultAt,
} from '../src/index.ts';

test.each([
  ['fail', 0],
  ['fail-but-persist', 1],
] as const)(
  'a call that is to %s leaves %i objects, and the next one passes',
  async (fault, objects) => {
    const store = new MemoryObjectStore('mem-1');
    const site = new FaultyCustodianSite(new MemoryCustodianSite(store), faultAt(0, fault));
    const { key, sealed: bytes, metadata } = exampleObject('one');
    await expect(site.create({ key, bytes, metadata })).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      remedy: 'retry',
    });
    expect(store.objects.size).toBe(objects);
    expect(await site.create({ key, bytes, metadata })).toEqual({ written: objects === 0 });
    expect(site.calls.map(({ method }) => method)).toEqual(['create', 'create']);
  },
);
