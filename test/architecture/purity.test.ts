import { describe, expect, test } from 'vitest';
import { code, exists, files, text, workspaces } from './tree.ts';

const L0_L1 = [
  'coded-error',
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
];
/** Time, chance and the machine arrive as data or through a port in L0 and L1, or the same record would not decide the same way twice. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|(?<!new )\bDate\(|\bnew Date(?!\()|\bperformance\b|\bTemporal\.Now\b|\bMath\.random\b|\brandom(?:UUID|Bytes|Int|FillSync|Fill)\b|\bgetRandomValues\b|\bprocess(?:\.|\[)|\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b|\bfetch\b|\bconsole\b|\bimport\.meta\b/g;
/** Settings and signals have one home each: a service. */
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

test('L0 and L1 read no clock, no chance, no environment, and start no timer', () => {
  expect(ofLayers01.length).toBeGreaterThan(20);
  expect(ofLayers01.flatMap((path) => found(IMPURE, path))).toEqual([]);
});

test('only services read the environment and listen to signals', () => {
  expect(
    all.filter((path) => path.startsWith('packages/')).flatMap((path) => found(ENVIRONMENT, path)),
  ).toEqual([]);
});

test('nothing exports everything of a file', () => {
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
])('would see %s', (line, pattern) => {
  expect(line.match(pattern)).not.toBeNull();
});

test.each([
  'new Date(at)',
  'new Date(0).toISOString()',
  'Date.parse(text)',
  'randomness',
  'preprocess(a)',
  'stop the process',
])('would let %s pass', (line) => {
  expect(line.match(IMPURE)).toBeNull();
});

describe.each(workspaces)('%s', (workspace) => {
  test('says in a README what it is', () => {
    expect(exists(`${workspace}/README.md`)).toBe(true);
    expect(text(`${workspace}/README.md`)).toMatch(/^# \S.*\n+\S/);
  });

  // A workspace that is a command has a bin and no index.
  test('compares the names its index exports with a list, or exports nothing', () => {
    const { exports, bin } = JSON.parse(text(`${workspace}/package.json`)) as {
      readonly exports?: object;
      readonly bin?: object;
    };
    expect([exports !== undefined, bin !== undefined]).toEqual([
      exists(`${workspace}/src/index.ts`),
      !exists(`${workspace}/src/index.ts`),
    ]);
    expect(exists(`${workspace}/test/exports.test.ts`)).toBe(exports !== undefined);
  });
});
