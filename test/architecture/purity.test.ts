import { describe, expect, test } from 'vitest';
import { REPORT } from './api-report.ts';
import { code, exists, files, text, workspaces } from './tree.ts';

const L0_L1 = [
  'coded-error',
  'defined',
  'residency',
  'consent',
  'ledger',
  'cloudevents',
  'contracts',
  'configuration',
  'sealing',
  'routing',
  'reconciliation',
  'auditing',
  'observation',
  'neutral-forms',
];
/**
 * In L0 and L1, time, chance and the machine are data or behind a port. Otherwise the same record
 * could be decided differently.
 */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|(?<!new )\bDate\(|\bnew Date(?!\()|\bperformance\b|\bTemporal\.Now\b|\bMath\.random\b|\brandom(?:UUID|Bytes|Int|FillSync|Fill)\b|\bgetRandomValues\b|\bprocess(?:\.|\[)|\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|\bfetch\b|\bconsole\b|\bimport\.meta\b/g;
/** Only services read settings and signals. */
const ENVIRONMENT =
  /\bprocess\.env\b|\bprocess\.(?:on|once|exit|kill|argv|exitCode)\b|\benv\b[^;]*from "(?:node:)?process"/g;
const STAR = /^export\s+(?:type\s+)?\*/gm;

function found(pattern: RegExp, path: string): string[] {
  return (
    code(path)
      .match(pattern)
      ?.map((what) => `${path}: ${what}`) ?? []
  );
}

const all = files('{packages,services}/*/src/**/*.ts');
const ofLayers01 = all.filter(
  (path) => L0_L1.includes(path.split('/')[1] ?? '') && path.startsWith('packages/'),
);

/** Where chance is what is made: the keys of a message. No decision depends on it. */
const KEYS = 'packages/sealing/src/seal-message.ts: randomBytes';

test('L0 and L1 read no clock, no random source and no environment, and start no timer', () => {
  expect(ofLayers01.length).toBeGreaterThan(20);
  expect([...new Set(ofLayers01.flatMap((path) => found(IMPURE, path)))]).toEqual([KEYS]);
});

test('only services read the environment and listen to signals', () => {
  expect(
    all.filter((path) => path.startsWith('packages/')).flatMap((path) => found(ENVIRONMENT, path)),
  ).toEqual([]);
});

test('no file has an export *', () => {
  expect([...all, ...files('test/**/*.ts')].flatMap((path) => found(STAR, path))).toEqual([]);
});

test.each([
  ['Date.now()', IMPURE],
  ['new Date()', IMPURE],
  ['new Date', IMPURE],
  ['Date()', IMPURE],
  ['Math.random()', IMPURE],
  ['crypto.randomUUID()', IMPURE],
  ['randomBytes(8)', IMPURE],
  ['process.env.HOME', IMPURE],
  ['setTimeout(f, 1)', IMPURE],
  ['AbortSignal.timeout(1)', IMPURE],
  ['performance.now()', IMPURE],
  ['console.log(1)', IMPURE],
  ['process.env["A"]', ENVIRONMENT],
  ['process.once("SIGTERM", f)', ENVIRONMENT],
  ['import { env } from "node:process"', ENVIRONMENT],
  ['export * from "./a.ts"', STAR],
  ['export type * from "./a.ts"', STAR],
  ['export * as a from "./a.ts"', STAR],
])('finds %s', (line, pattern) => {
  expect(line.match(pattern)).not.toBeNull();
});

test.each([
  'new Date(at)',
  'new Date(0).toISOString()',
  'Date.parse(text)',
  'randomness',
  'preprocess(a)',
  'stop the process',
])('allows %s', (line) => {
  expect(line.match(IMPURE)).toBeNull();
});

describe.each(workspaces)('%s', (workspace) => {
  test('has a README that describes it', () => {
    expect(exists(`${workspace}/README.md`)).toBe(true);
    expect(text(`${workspace}/README.md`)).toMatch(/^# \S.*\n+\S/);
  });

  // A workspace that is a command has a bin and no index.
  test('has an index that the API report lists, or is a command line', () => {
    const { name, exports, bin } = JSON.parse(text(`${workspace}/package.json`)) as {
      readonly name: string;
      readonly exports?: object;
      readonly bin?: object;
    };
    expect([exports !== undefined, bin !== undefined]).toEqual([
      exists(`${workspace}/src/index.ts`),
      !exists(`${workspace}/src/index.ts`),
    ]);
    expect(text(REPORT).includes(`## ${name}\n`)).toBe(exports !== undefined);
  });
});
