import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { judgeErasures } from '../../proofs/erasure/judge-erasures.ts';
import { note } from '../report.ts';
import { runBenchmark } from '../run-benchmark.ts';
import { Child } from '../stack/child.ts';
import { readNumber, readSize } from '../stack/options.ts';
import { cpuBetween, readCpu, subjectOf } from '../stack/process-figures.ts';
import { ErasureStand } from './erasure-stand.ts';
import type { MeasuredConsent } from './erasure-stand.ts';
import type { ErasureBench, ErasureFigures, Round, Stretch, Way } from './erasure-figures.ts';
import { erasureTables } from './erasure-tables.ts';
import type { FloorOrder } from './floor-process.ts';

// `npm run bench:erasure`: how long it takes from the withdrawal of a consent until its samples are
// gone at both sites of Zurich, while the router stores others at a steady rate. Consents are
// withdrawn one by one, then as many at once. The floor of each round replaces as many objects with
// bare conditional PUTs. One custodian, Kafka broker and S3Proxy a site; their CPU is in no figure.

/** Throws if a sample is not gone, or anything else is wrong with topics or folders in the end. */
export async function measureErasure(options: ErasureBench): Promise<ErasureFigures> {
  const stand = await ErasureStand.open(options.bytes, options.longRunning);
  try {
    const sizes = sizesOf(options);
    note('samples of all consents are stored');
    const all = Array.from({ length: 2 * options.rounds }, () => sizes).flat();
    const { consents, perSecond: reached } = await stand.store(all, options.least);
    const rate = options.rate ?? Math.max(1, Math.round(reached / 2));
    stand.load(rate);
    const rounds: Round[] = [];
    const loadAverages: number[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      note(`round ${round + 1} of ${options.rounds}, beside ${rate} samples a second`);
      const from = 2 * round * sizes.length;
      rounds.push(
        await measureRound(stand, options, {
          'one by one': consents.slice(from, from + sizes.length),
          'at once': consents.slice(from + sizes.length, from + 2 * sizes.length),
        }),
      );
      loadAverages.push(loadavg()[0] ?? 0);
    }
    note('topics and folders are compared');
    const evidence = await stand.evidence();
    const { faults } = judgeErasures(evidence);
    if (faults.length > 0)
      throw new Error(
        `Expected each sample to be gone and nothing else, found ${faults.length} faults: ${faults.slice(0, 5).join('; ')}`,
      );
    return { reached, rate, rounds, evidence, loadAverages };
  } finally {
    await stand.close();
  }
}

/** The sizes in turn, so that each is spread over a round. */
function sizesOf({ consents, sizes }: ErasureBench): readonly number[] {
  return Array.from({ length: consents }, () => sizes).flat();
}

async function measureRound(
  stand: ErasureStand,
  { calmSeconds, everyMs, onTheirWay, bytes }: ErasureBench,
  consents: Readonly<Record<Way, readonly MeasuredConsent[]>>,
): Promise<Round> {
  const calm = await custodianDuring(stand, () => sleep(calmSeconds * 1e3));
  const oneByOne = await custodianDuring(stand, async () => {
    for (const consent of consents['one by one']) {
      await Promise.all([stand.withdraw(consent, onTheirWay), sleep(everyMs)]);
    }
    await stand.gone(consents['one by one']);
  });
  const atOnce = await custodianDuring(stand, async () => {
    await Promise.all(consents['at once'].map((consent) => stand.withdraw(consent, 0)));
    await stand.gone(consents['at once']);
  });
  const count = consents['at once'].reduce((sum, { stored }) => sum + stored.length, 0);
  return {
    calm,
    ways: {
      'one by one': { ...oneByOne, consents: consents['one by one'] },
      'at once': { ...atOnce, consents: consents['at once'] },
    },
    floor: { ...(await measureFloor(stand, count, bytes)), count },
  };
}

async function custodianDuring(stand: ErasureStand, work: () => Promise<void>): Promise<Stretch> {
  return await during(stand.custodian, () => stand.beside(), work);
}

async function during(
  pid: number,
  beside: ErasureStand['beside'],
  work: () => Promise<unknown>,
): Promise<Stretch> {
  const subject = subjectOf([pid]);
  const from = readCpu(subject, beside());
  await work();
  const to = readCpu(subject, beside());
  return { ...cpuBetween(from, to), seconds: (to.at - from.at) / 1e3 };
}

async function measureFloor(stand: ErasureStand, count: number, bytes: number): Promise<Stretch> {
  const order: FloorOrder = { places: await stand.places(), count, bytes };
  const floor = new Child('../erasure/floor-process.ts', order);
  try {
    await floor.said();
    let seconds = 0;
    const stretch = await during(
      floor.pid,
      () => ({ ...stand.beside(), custodian: [stand.custodian] }),
      async () => {
        floor.send({ begin: true });
        ({ seconds } = await floor.said<{ readonly seconds: number }>());
      },
    );
    return { ...stretch, seconds };
  } finally {
    await floor.close();
  }
}

const USAGE =
  'npm run bench:erasure -- [--rounds 3] [--consents 5] [--samples-per-consent 1,10,100] [--every-ms 5000] [--on-their-way 5] [--bytes 10KiB] [--rate N]\n';

/** Throws a message for the person who typed the options. */
function readOptions(args: readonly string[]): ErasureBench {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      consents: { type: 'string' },
      'samples-per-consent': { type: 'string', default: '1,10,100' },
      'every-ms': { type: 'string' },
      'on-their-way': { type: 'string' },
      bytes: { type: 'string', default: '10KiB' },
      rate: { type: 'string' },
    },
  });
  return {
    rounds: readNumber('rounds', values.rounds, { least: 1, most: 99, usual: 3 }),
    consents: readNumber('consents', values.consents, { least: 1, most: 1_000, usual: 5 }),
    sizes: values['samples-per-consent']
      .split(',')
      .map((text) =>
        readNumber('samples-per-consent', text, { least: 1, most: 100_000, usual: 1 }),
      ),
    everyMs: readNumber('every-ms', values['every-ms'], { least: 1, most: 600_000, usual: 5_000 }),
    onTheirWay: readNumber('on-their-way', values['on-their-way'], {
      least: 0,
      most: 1_000,
      usual: 5,
    }),
    bytes: readSize(values.bytes, '--bytes'),
    rate:
      values.rate === undefined
        ? undefined
        : readNumber('rate', values.rate, { least: 1, most: 10_000, usual: 1 }),
    least: 3_000,
    calmSeconds: 10,
    longRunning: true,
  };
}

if (import.meta.main)
  await runBenchmark({
    usage: USAGE,
    readOptions,
    run: async (options) => erasureTables(options, await measureErasure(options)),
  });
