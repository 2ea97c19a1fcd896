/**
 * `npm run bench:claims -- --holdings 1000000`: what a change of the arbiter reads if it begins at a
 * custodian's register. Each holding has one custody event; the list of the arbiter to come lacks one
 * holding in ten thousand, which the audit log is read for. The register is made, not followed: `npm run
 * bench:register` measures that. No Kafka, no S3: what they take is beside these figures.
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RegisterFile } from '@residency/adapter-filesystem';
import { custodyDigest, objectKey } from '@residency/contracts';
import { KeySet, findClaims } from '@residency/custodianship';
import type { AuditFeed, CustodyReading } from '@residency/custodianship';
import { openRegister } from '../src/open-register.ts';
import { encodeRegister } from '../src/register-format.ts';
import type { Register } from '../src/register-format.ts';
import { StoredKeys } from '../src/stored-keys.ts';
import { figure, table } from '../../../test/bench/report.ts';
import { CustodyWorld } from './custody-world.ts';

const NEXT = 'zrh-2';
const LACKS_ONE_IN = 10_000;
/** Records that nobody decodes. */
const OTHER = Buffer.from('another record');
const CUSTODY = Buffer.from('the last custody event');

const { values } = parseArgs({ options: { holdings: { type: 'string', default: '1000000' } } });
const holdings = Number(values.holdings);

const submissionOf = (offset: number): string => hash('sha256', String(offset));
const isLacked = (submission: string): boolean =>
  Number.parseInt(submission.slice(-8), 16) % LACKS_ONE_IN === 0;

const world = new CustodyWorld(['zrh-1', NEXT]);
const template = await world.stored('a');
if (template.outcome !== 'stored') throw new TypeError('Expected a stored event.');

function eventAt(offset: number, submission: string): Buffer {
  if (template.outcome !== 'stored') return OTHER;
  const { position, data } = template;
  const placements = data.placements.map((one) => ({ ...one, key: objectKey(submission) }));
  return world.encode({
    ...template,
    position: { ...position, offset: BigInt(offset) },
    data: { ...data, submission, placements },
  });
}

let [readings, read] = [0, 0];
const audit: AuditFeed = {
  partitions: async () => [0],
  read: async function* feed(_, from) {
    readings += 1;
    for (let offset = Number(from); offset < holdings; offset += 1) {
      const submission = submissionOf(offset);
      read += 1;
      yield {
        offset: BigInt(offset),
        value: isLacked(submission) ? eventAt(offset, submission) : OTHER,
      };
    }
  },
};
const custody: CustodyReading = {
  log: 'log-1',
  region: 'zurich',
  read: async function* log(from = 0n) {
    yield { offset: from, value: CUSTODY };
  },
};

/** As a custodian saves it that has followed so many holdings, and made a copy of each. */
function madeRegister(): Register {
  const stored = new StoredKeys();
  for (let offset = 0; offset < holdings; offset += 1)
    stored.add(0, BigInt(offset), submissionOf(offset));
  const offset = BigInt(holdings - 1);
  const lastSubmission = submissionOf(holdings - 1);
  const last = isLacked(lastSubmission) ? eventAt(holdings - 1, lastSubmission) : OTHER;
  const prints = new Uint32Array(Math.ceil(holdings / 1_024) * 1_024).fill(7);
  return {
    log: 'log-1',
    region: 'zurich',
    topics: {},
    sites: ['zrh-1', NEXT],
    head: {
      end: { offset, sequence: holdings - 1, digest: custodyDigest(CUSTODY) },
      prints: {
        pages: [{ of: `${NEXT} log-1/threat.samples/0`, first: 0n, words: [prints] }],
        later: [],
      },
      closed: [],
      repaired: [],
      notRepaired: [],
      erased: [],
      lost: [],
      lossRefused: [],
      accesses: [],
    },
    debts: { due: [], oldestAt: [] },
    stored: stored.save(),
    owners: { settled: [['log-1/threat.samples/0', offset]], named: [] },
    audit: [{ partition: 0, offset, digest: custodyDigest(last) }],
  };
}

function passedOver(code: string): void {
  throw new Error(`Expected the register to be used, found ${code}.`);
}

const rows: string[][] = [];
async function measured<T>(name: string, work: () => Promise<T>): Promise<T> {
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const { rss } = process.memoryUsage();
  rows.push([
    name,
    figure((performance.now() - from) / 1e3),
    figure((user + system) / 1e6),
    figure(rss / 1e6),
  ]);
  return result;
}

const folder = await mkdtemp(join(tmpdir(), 'residency-claims-'));
try {
  const store = new RegisterFile(folder, 'zurich');
  const bytes = await store.replace(encodeRegister(madeRegister()));
  const keys = new KeySet();
  await measured('the list of the site, as a set', async () => {
    for (let offset = 0; offset < holdings; offset += 1) {
      const submission = submissionOf(offset);
      if (!isLacked(submission)) keys.add(submission);
    }
  });
  const register = { store, topics: {}, passedOver };
  await measured('opening the register', () => openRegister({ ...register, custody, audit }));
  [readings, read] = [0, 0];
  const { claims } = await measured('finding the claims, opening included', () =>
    findClaims({
      sites: [NEXT],
      audit,
      custody,
      listed: Promise.resolve(new Map([[NEXT, keys]])),
      register,
    }),
  );
  process.stdout.write(
    `${holdings.toLocaleString('en')} holdings; register ${figure(bytes / 1e6)} MB; ${claims.length.toLocaleString('en')} claims; ${readings.toLocaleString('en')} readings of the audit log, ${read.toLocaleString('en')} records\n\n${table(
      ['step', 'seconds', 'CPU s', 'resident MB'],
      rows,
    )}\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}
