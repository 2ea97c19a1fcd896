import { expect, test } from 'vitest';
import { DataCopies, withData } from '../data-copies.ts';
import { trafficConsents } from '../traffic.ts';
import { followersDiffer } from './followers.ts';
import { fuzzSamples, readTopics, spoilTopics, stillRoutes } from './fuzz-run.ts';
import { FUZZED, hostileOf } from './hostile-topics.ts';

const SEED = 20_261_129;

test('with hostile records in every topic no reader ends, no good record is lost and no unknown one is accepted', async () => {
  const copies = await DataCopies.make(trafficConsents());
  try {
    await copies.each(async (directory) => {
      const samples = await withData(directory, (data) =>
        fuzzSamples(data, { seed: SEED, records: 300 }),
      );
      const { others, differ } = await withData(directory, async (data) => {
        const spoiled = await spoilTopics(data, { seed: SEED, records: 1_500 });
        // Retention comes last, because it deletes from the topics.
        return { differ: await followersDiffer(data), others: await readTopics(data, spoiled) };
      });
      expect(
        [samples, ...others].flatMap(({ topic, faults }) =>
          faults.map((fault) => `${topic}: ${fault}`),
        ),
      ).toEqual([]);
      expect(differ).toEqual([]);
      for (const { taken, named, records } of others)
        expect([taken > 0, named > 0, named < records + 1_000]).toEqual([true, true, true]);
      expect(await withData(directory, (data) => stillRoutes(data))).toBe(true);
    });
  } finally {
    await copies.remove();
  }
});

test('the same seed gives the same records, another seed others', () => {
  const base = { policy: '{"version":1,"effectiveFrom":"x","rules":[]}', log: 'l' };
  const some = (seed: number): unknown =>
    FUZZED.map((topic) =>
      Array.from({ length: 50 }, (_, index) => hostileOf(topic, seed, index, base)),
    );
  expect(some(1)).toEqual(some(1));
  expect(some(1)).not.toEqual(some(2));
});
