import { CodedError } from '@residency/coded-error';
import { MemoryCustodianSite, MemoryObjectStore } from '@residency/testkit';
import { expect, test } from 'vitest';
import { LooksAtSites } from '../src/looks-at-sites.ts';

const siteOf = (name: string): MemoryCustodianSite =>
  new MemoryCustodianSite(new MemoryObjectStore(name));
const failure = (code: string, remedy: 'retry' | 'stop'): CodedError =>
  new CodedError({ code, message: code, remedy });

test('a site that is refused is known after the look, whatever the others answer', async () => {
  const refusal = failure('SITE_NOT_ERASABLE', 'stop');
  const asked: string[] = [];
  const looks = new LooksAtSites({
    site: async (name) => {
      asked.push(name);
      if (name === 'zrh-1') throw failure('SITE_UNREACHABLE', 'retry');
      if (name === 'zrh-2') throw refusal;
      return siteOf(name);
    },
  });
  looks.requireNoneRefused();
  await looks.look(['zrh-1', 'zrh-2', 'zrh-3']);
  expect(asked).toEqual(['zrh-1', 'zrh-2', 'zrh-3']);
  expect(() => {
    looks.requireNoneRefused();
  }).toThrow(refusal);
});

test('a site that is away is no refusal', async () => {
  const looks = new LooksAtSites({
    site: async () => {
      throw failure('SITE_UNREACHABLE', 'retry');
    },
  });
  await looks.look(['zrh-1']);
  expect(() => {
    looks.requireNoneRefused();
  }).not.toThrow();
});
