import { expect, test } from 'vitest';
import { code, files, workspaces } from './tree.ts';

/**
 * The ports, and the only folder whose test doubles need not prove themselves against their own
 * suites.
 */
const PORTS = [
  'ObjectStore',
  'SubmissionLog',
  'ConsentView',
  'PolicyView',
  'ControlView',
  'LedgerStore',
  'LedgerSource',
  'AuditRestorer',
  'CustodianSite',
  'SettledOutcomes',
  'CustodyLog',
  'RegisterStore',
  'AuditFeed',
  'SubmissionList',
  'KeyUnwrapper',
];
const TESTKIT = 'packages/testkit';

/**
 * Ports that a file's classes implement, or, in an adapter, that its functions and constants make.
 */
function implementedIn(source: string, adapter: boolean): string[] {
  const named = [...source.matchAll(/\bclass\s+\w*[^{]*\bimplements\s+([^{]+)\{/g)].flatMap(
    ([, list = '']) => list.split(','),
  );
  const made = adapter
    ? [
        ...source.matchAll(/\)\s*:\s*(?:Promise<)?(\w+)[^{;=]*(?:\{|=>)|\bsatisfies\s+(\w+)/g),
      ].flatMap(([, returned, satisfied]) => [returned ?? satisfied ?? ''])
    : [];
  const names = [...named, ...made].map((name) => name.trim().replace(/<.*$/, ''));
  return PORTS.filter((port) => names.includes(port));
}

/** Names that a test imports from the testkit and calls. */
function suitesCalledIn(source: string): string[] {
  const imported = [
    ...source.matchAll(/import\s*\{([^}]*)\}\s*from\s*["']@residency\/testkit["']/g),
  ].flatMap(([, names = '']) => names.split(','));
  const local = imported
    .map(
      (name) =>
        name
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '',
    )
    .filter((name) => name !== '');
  return local.filter((name) => new RegExp(`\\b${name}\\s*\\(`).test(source));
}

const proves = (suite: string, port: string): boolean =>
  suite.toLowerCase().includes(port.toLowerCase());

const implementations = workspaces
  .filter((folder) => folder !== TESTKIT)
  .flatMap((folder) => {
    const sources = files(`${folder}/src/**/*.ts`).map(code);
    const ports = new Set(
      sources.flatMap((source) => implementedIn(source, folder.startsWith('packages/adapter-'))),
    );
    return [...ports].map((port) => ({ folder, port }));
  });

test('every port has an adapter', () => {
  expect(PORTS.filter((port) => !implementations.some((one) => one.port === port))).toEqual([]);
});

test('every adapter runs the contract suite of each port it implements', () => {
  const unproven = implementations.filter(
    ({ folder, port }) =>
      !files(`${folder}/test/**/*.contract.test.ts`)
        .flatMap((path) => suitesCalledIn(code(path)))
        .some((suite) => proves(suite, port)),
  );
  expect(unproven).toEqual([]);
});

test.each([
  ['class A implements ObjectStore {', ['ObjectStore']],
  ['class A extends B implements C, PolicyView {', ['PolicyView']],
  ['class extends B implements SubmissionLog {', ['SubmissionLog']],
  ['function open(folder: string): ObjectStore {', ['ObjectStore']],
  ['async function open(folder: string): Promise<ConsentView> {', ['ConsentView']],
  ['const view = { read } satisfies PolicyView;', ['PolicyView']],
  ['function use(store: ObjectStore): void {', []],
  ['class A implements ObjectStoreLike {', []],
])('an adapter is recognised in: %s', (source, ports) => {
  expect(implementedIn(source, true)).toEqual(ports);
});

test('a suite that is imported and not called does not count', () => {
  const line =
    'import { objectStoreContract, other as consentViewContract } from "@residency/testkit";';
  expect(suitesCalledIn(line)).toEqual([]);
  expect(suitesCalledIn(`${line} objectStoreContract("x", make); consentViewContract(y);`)).toEqual(
    ['objectStoreContract', 'consentViewContract'],
  );
});
