import { INITIAL_CONTROL } from '@residency/contracts';
import { MemoryObjectStore, SHIPPED_POLICY } from '@residency/testkit';
import { expect, it } from 'vitest';
import { verifyRegions } from '../src/index.ts';

const first = {
  ...SHIPPED_POLICY,
  appendedAt: 0,
};
const withZurich = (sites: readonly string[]): typeof first => {
  const regions = first.document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, sites: [...sites] } : region,
  );
  return {
    document: { ...first.document, version: 2, effectiveFrom: '2100-01-01T00:00:00Z', regions },
    digest: '2'.repeat(64),
    appendedAt: 0,
  };
};

async function asked(...versions: readonly (typeof first)[]): Promise<readonly string[]> {
  const sites: string[] = [];
  const store = async (site: string): Promise<MemoryObjectStore> => {
    sites.push(site);
    return await Promise.resolve(new MemoryObjectStore(site));
  };
  await verifyRegions(versions, {
    control: INITIAL_CONTROL,
    sites: { store },
    keys: { newest: () => 'a key' },
  });
  return [...new Set(sites)];
}

it('verifies every site of every valid version, in force or not yet', async () => {
  expect(await asked(first, withZurich(['zrh-1', 'zrh-2', 'zrh-3']))).toEqual([
    'zrh-1',
    'zrh-2',
    'mow-1',
    'zrh-3',
  ]);
});

it('asks for no site of a version that everybody ignores', async () => {
  expect(await asked(first, withZurich(['elsewhere-1', 'zrh-1', 'zrh-2']))).toEqual([
    'zrh-1',
    'zrh-2',
    'mow-1',
  ]);
});

it('demands a key of each region', async () => {
  await expect(
    verifyRegions([first], {
      control: INITIAL_CONTROL,
      sites: { store: () => Promise.reject(new Error('not asked')) },
      keys: { newest: () => undefined },
    }),
  ).rejects.toMatchObject({ code: 'NO_SEALING_KEY', remedy: 'stop' });
});
