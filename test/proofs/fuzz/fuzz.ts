import { parseArgs } from 'node:util';
import { DataCopies, withData } from '../data-copies.ts';
import { trafficConsents } from '../traffic.ts';
import { followersDiffer } from './followers.ts';
import { fuzzSamples, readTopics, spoilTopics, stillRoutes } from './fuzz-run.ts';

// `npm run proof:fuzz -- --records 200000 --seed 1`; exit 1 if a process would have ended, or if a
// hostile record was accepted.
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
  },
});
const [records, seed] = [Number(values.records), Number(values.seed)];
const startedAt = performance.now();
const copies = await DataCopies.make(trafficConsents());
try {
  await copies.each(async (directory) => {
    // A tenth is for the intake topic, whose records are sealed and stored. Policies are a tenth of
    // each of the others.
    const each = Math.ceil(records / 4.2);
    const samples = await withData(directory, (data) =>
      fuzzSamples(data, { seed, records: Math.ceil(records / 40) }),
    );
    const { others, differ } = await withData(directory, async (data) => {
      const spoiled = await spoilTopics(data, { seed, records: each });
      // Retention comes last, because it deletes from the topics.
      return { differ: await followersDiffer(data), others: await readTopics(data, spoiled) };
    });
    const routes = await withData(directory, (data) => stillRoutes(data));
    const all = [samples, ...others];
    console.log(
      '| topic | records | good | taken | named or counted | faults |\n|---|---|---|---|---|---|',
    );
    for (const { topic, records: count, good, taken, named, faults } of all)
      console.log(
        `| ${topic} | ${count} | ${good} | ${taken} | ${named} | ${faults.length === 0 ? 'none' : faults.join('; ')} |`,
      );
    console.log(
      `| all | ${all.reduce((sum, one) => sum + one.records, 0)} | | | | ${routes ? 'routes as on the first day' : 'does not route any more'} |`,
    );
    console.log(
      `| a cluster's followers | | | | | ${differ.length === 0 ? 'none' : differ.join('; ')} |`,
    );
    console.log(`seed ${seed}, ${Math.round((performance.now() - startedAt) / 1_000)} s`);
    if (!routes || differ.length > 0 || all.some(({ faults }) => faults.length > 0))
      process.exitCode = 1;
  });
} finally {
  await copies.remove();
}
