import { describe, expect, test } from 'vitest';
import { text } from '../architecture/tree.ts';
import { ToolMissing, checkModel, finding } from './check-model.ts';
import { CONFIGURATIONS, LIMITS, MUTANTS } from './runs.ts';

// A run is a compilation and a search: a second or two of computation.
describe('the model of arbitration and custody', () => {
  test.each(CONFIGURATIONS)('keeps every promise: $name ($about)', async ({ defines }) => {
    expect(await checkModel(defines)).toMatchObject({ broken: undefined });
  });

  test.each(MUTANTS)(
    'shows the fault $name: $about',
    async ({ name, configuration, defines: own, breaks }) => {
      const defines = CONFIGURATIONS.find((one) => one.name === configuration)?.defines;
      expect(await checkModel({ ...defines, ...own, [name]: true })).toMatchObject({
        broken: breaks,
      });
    },
  );

  test.each(LIMITS)('shows what two faults at once break: $about', async ({ defines, breaks }) => {
    expect(await checkModel(defines)).toMatchObject({ broken: breaks });
  });

  test('has no fault that is not tried', () => {
    const names = [...text('test/model/custody.pml').matchAll(/^#(?:ifdef|ifndef) (\w+)$/gm)].map(
      ([, name = '']) => name,
    );
    const bounds =
      /^(PARTITIONS|LENGTH|IDENTITIES|WORKERS|MOVES|FORGETS|LOSSES|AWAYS|CHANGES|ABORTS|CUSTODIANS|ERASURES|LATE_PUTS|SITE_IN|AFTER_CHANGE|WORLD|settledTwice)$/;
    expect(new Set(names.filter((name) => !bounds.test(name)))).toEqual(
      new Set(MUTANTS.map(({ name }) => name)),
    );
  });
});

describe('the search', () => {
  test('that did not see all states is no result', () => {
    expect(() =>
      finding('error: max search depth too small\nState-vector 1 byte, depth reached 9, errors: 0'),
    ).toThrow('see all states');
    expect(() => finding('pan: reached -DMEMLIM bound')).toThrow('see all states');
  });

  test('says which program is missing', async () => {
    const path = process.env['PATH'];
    const cache = process.env['XDG_CACHE_HOME'];
    process.env['PATH'] = '';
    process.env['XDG_CACHE_HOME'] = '/nowhere';
    try {
      await expect(checkModel({})).rejects.toThrow(ToolMissing);
    } finally {
      process.env['PATH'] = path;
      if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = cache;
    }
  });
});
