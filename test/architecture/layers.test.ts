import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cruise } from './cruise.ts';
import type { Cruise } from './cruise.ts';
import { root, workspaces } from './tree.ts';

describe('the tree', () => {
  let found: Cruise;
  beforeAll(async () => {
    found = await cruise(root);
  });

  test('has no import that its layers forbid', () => {
    expect(found.violations).toEqual([]);
    expect(found.modules).toBeGreaterThan(30);
  });

  test('has no package outside the layers', () => {
    const packages = workspaces
      .filter((folder) => folder.startsWith('packages/'))
      .map((folder) => folder.slice('packages/'.length));
    expect(found.rules).toEqual(expect.arrayContaining(packages.map((name) => `${name}-vendors`)));
    expect(found.rules).toEqual(
      expect.arrayContaining(workspaces.map((folder) => `${folder}-declares-workspaces`)),
    );
  });
});

/** A fixture's workspaces with what they declare; npm packages begin without `@residency/`. */
const WORKSPACES: Readonly<Record<string, readonly string[]>> = {
  'packages/coded-error': [],
  'packages/residency': ['@residency/coded-error', '@residency/contracts', 'zod'],
  'packages/contracts': [
    '@residency/coded-error',
    '@residency/residency',
    '@residency/cloudevents',
    '@residency/adapter-sqlite',
    'zod',
    'kafkajs',
  ],
  'packages/cloudevents': ['@residency/coded-error', '@residency/residency'],
  'packages/reconciliation': ['@residency/contracts', '@residency/routing'],
  'packages/waiting': ['@residency/coded-error', '@residency/residency'],
  'packages/routing': [
    '@residency/contracts',
    '@residency/testkit',
    '@residency/intake',
    '@residency/waiting',
  ],
  'packages/adapter-sqlite': [
    '@residency/routing',
    '@residency/waiting',
    '@residency/adapter-filesystem',
  ],
  'packages/adapter-filesystem': ['@residency/routing'],
  'packages/operations': [],
  'packages/http-server': ['@residency/operations', '@residency/routing'],
  'packages/testkit': ['@residency/routing', '@residency/adapter-sqlite', 'vitest'],
  'packages/simulation': ['@residency/routing', '@residency/intake', '@residency/adapter-sqlite'],
  'packages/stranger': [],
  'services/intake': ['@residency/contracts', '@residency/standalone', 'kafkajs'],
  'services/standalone': ['@residency/intake', '@residency/cli', '@residency/adapter-sqlite'],
  'services/cli': ['@residency/standalone', '@residency/intake'],
};
const VENDORS = ['zod', 'kafkajs', 'vitest', 'leftover'];

/** Each line of code and the rules it breaks, all of them. */
const CASES: readonly (readonly [file: string, line: string, rules: readonly string[]])[] = [
  // What is allowed.
  [
    'packages/contracts/src/a-good.ts',
    "import type {} from '@residency/residency'; import '@residency/cloudevents'; import 'zod'; import 'node:crypto';",
    [],
  ],
  ['packages/routing/src/a-good.ts', "import '@residency/contracts';", []],
  [
    'packages/adapter-sqlite/src/a-good.ts',
    "import 'node:sqlite'; import 'node:worker_threads'; import '@residency/routing'; import '@residency/waiting';",
    [],
  ],
  ['packages/http-server/src/a-good.ts', "import '@residency/operations';", []],
  [
    'packages/waiting/src/a-good.ts',
    "import '@residency/coded-error'; import 'node:timers/promises';",
    [],
  ],
  [
    'packages/routing/test/a-good.test.ts',
    "import '@residency/testkit'; import 'vitest'; import '../src/index.ts'; import 'node:fs';",
    [],
  ],
  ['packages/testkit/src/a-good.ts', "import 'vitest'; import '@residency/routing';", []], // vitest is in its dependencies and in the root's development ones.
  [
    'services/standalone/src/a-good.ts',
    "import '@residency/intake'; import '@residency/adapter-sqlite'; import 'node:http';",
    [],
  ],
  ['services/cli/src/a-good.ts', "import '@residency/standalone';", []],
  [
    'packages/simulation/src/a-good.ts',
    "import '@residency/intake'; import '@residency/adapter-sqlite'; import 'node:module';",
    [],
  ],
  ['test/e2e/a-good.test.ts', "import '@residency/cli'; import 'node:sqlite';", []],
  // What is not.
  [
    'packages/residency/src/b-contracts.ts',
    "import '@residency/contracts';",
    ['L0-imports-only-the-foundation'],
  ],
  [
    'packages/residency/src/b-type.ts',
    "import type {} from '@residency/contracts';",
    ['L0-imports-only-the-foundation'],
  ],
  [
    'packages/residency/src/b-lazy.ts',
    "export const late = () => import('@residency/contracts');",
    ['L0-imports-only-the-foundation'],
  ],
  [
    'packages/residency/src/b-reexport.ts',
    "export type {} from '@residency/contracts';",
    ['L0-imports-only-the-foundation'],
  ],
  ['packages/residency/src/b-core.ts', "import 'node:crypto';", ['L0-runs-anywhere']],
  ['packages/residency/src/b-vendor.ts', "import 'zod';", ['residency-vendors']],
  [
    'packages/contracts/src/b-adapter.ts',
    "import '@residency/adapter-sqlite';",
    ['L1-imports-only-L1-and-L0'],
  ],
  ['packages/contracts/src/b-files.ts', "import 'node:fs/promises';", ['L1-touches-no-machine']],
  ['packages/contracts/src/b-bare-core.ts', "import 'http';", ['L1-touches-no-machine']],
  [
    'packages/contracts/src/b-vendor.ts',
    "import 'kafkajs';",
    ['contracts-vendors', 'kafkajs-only-in-adapter-kafka'],
  ],
  [
    'packages/routing/src/b-waiting.ts',
    "import '@residency/waiting';",
    ['L1-imports-only-L1-and-L0'],
  ],
  [
    'packages/waiting/src/b-residency.ts',
    "import '@residency/residency';",
    ['waiting-imports-only-the-foundation'],
  ],
  ['packages/waiting/src/b-files.ts', "import 'node:fs';", ['waiting-has-timers-only']],
  [
    'packages/cloudevents/src/b-residency.ts',
    "import '@residency/residency';",
    ['cloudevents-imports-less-than-its-layer'],
  ],
  [
    'packages/reconciliation/src/b-routing.ts',
    "import type {} from '@residency/routing';",
    ['reconciliation-imports-less-than-its-layer'],
  ],
  [
    'packages/adapter-sqlite/src/b-other.ts',
    "import '@residency/adapter-filesystem';",
    ['L2-imports-no-other-adapter'],
  ],
  [
    'packages/http-server/src/b-routing.ts',
    "import '@residency/routing';",
    ['http-server-imports-only-operations'],
  ],
  ['packages/adapter-filesystem/src/b-socket.ts', "import 'node:net';", ['L2-opens-no-socket']],
  [
    'packages/adapter-filesystem/src/b-sqlite.ts',
    "import 'node:sqlite';",
    ['sqlite-only-in-adapter-sqlite'],
  ],
  [
    'packages/adapter-filesystem/test/b-sqlite.test.ts',
    "import 'node:sqlite';",
    ['sqlite-only-in-adapter-sqlite'],
  ],
  [
    'packages/testkit/src/b-adapter.ts',
    "import '@residency/adapter-sqlite';",
    ['testkit-imports-no-adapter'],
  ],
  [
    'packages/routing/src/b-testkit.ts',
    "import '@residency/testkit';",
    ['L1-imports-only-L1-and-L0', 'testkit-only-in-tests'],
  ],
  [
    'packages/routing/src/b-service.ts',
    "import '@residency/intake';",
    ['L1-imports-only-L1-and-L0', 'no-package-imports-a-service'],
  ],
  [
    'packages/routing/test/b-service.test.ts',
    "import '@residency/intake';",
    ['no-package-imports-a-service'],
  ],
  [
    'packages/routing/src/b-test.ts',
    "import '../test/a-good.test.ts';",
    ['source-imports-no-tests'],
  ],
  [
    'packages/simulation/src/b-relative.ts',
    "import '../../routing/src/a-good.ts';",
    ['simulation-through-the-index'],
  ],
  [
    'test/e2e/b-simulation.test.ts',
    "import '../../packages/simulation/src/a-good.ts';",
    ['simulation-only-in-its-tests', 'tests-through-the-index'],
  ],
  ['packages/stranger/src/b-unknown.ts', "import './index.ts';", ['package-without-layer']],
  [
    'services/intake/src/b-service.ts',
    "import '@residency/standalone';",
    ['service-imports-no-service'],
  ],
  ['services/intake/src/b-client.ts', "import 'kafkajs';", ['kafkajs-only-in-adapter-kafka']],
  [
    'services/standalone/src/b-front-door.ts',
    "import '@residency/cli';",
    ['standalone-does-not-import-its-front-door'],
  ],
  ['services/cli/src/b-second.ts', "import '@residency/intake';", ['cli-imports-only-standalone']],
  ['packages/adapter-sqlite/src/b-cycle-1.ts', "import './b-cycle-2.ts';", ['no-cycles']],
  ['packages/adapter-sqlite/src/b-cycle-2.ts', "import type {} from './b-cycle-1.ts';", []], // A cycle is reported once.
  ['packages/adapter-sqlite/src/b-nothing.ts', "import './not-there.ts';", ['resolvable']],
  [
    'packages/adapter-sqlite/src/b-deep.ts',
    "import '@residency/routing/src/a-good.ts';",
    ['resolvable'],
  ],
  [
    'packages/adapter-sqlite/src/b-relative.ts',
    "import '../../routing/src/a-good.ts';",
    ['through-the-index'],
  ],
  [
    'test/e2e/b-relative.test.ts',
    "import '../../packages/routing/src/a-good.ts';",
    ['tests-through-the-index'],
  ],
  ['services/intake/src/b-undeclared.ts', "import 'leftover';", ['declared']],
  [
    'services/intake/src/b-development.ts',
    "import 'vitest';",
    ['no-development-dependency-in-source'],
  ],
  [
    'packages/adapter-filesystem/src/b-undeclared.ts',
    "import '@residency/contracts';",
    ['packages/adapter-filesystem-declares-workspaces'],
  ],
];

describe('on a tree that breaks them, each rule', () => {
  let folder: string;
  let found: Cruise;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'layers-')));
    await plant(folder);
    found = await cruise(folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(CASES)('%s: %s', (file, _line, expected) => {
    expect(rulesBrokenBy(found, file)).toEqual(expected.toSorted());
  });

  test('is broken by at least one line, except those that repeat a proven one for another package', () => {
    const broken = new Set(found.violations.map(({ rule }) => rule));
    const generated = /-vendors$|-declares-workspaces$|-only-in-adapter-(?:kafka|s3|redis)$/;
    expect(found.rules.filter((rule) => !broken.has(rule) && !generated.test(rule))).toEqual([]);
  });
});

function rulesBrokenBy({ violations }: Cruise, file: string): string[] {
  return [
    ...new Set(violations.filter(({ from }) => from === file).map(({ rule }) => rule)),
  ].toSorted();
}

async function plant(folder: string): Promise<void> {
  await write(
    folder,
    'package.json',
    JSON.stringify({ workspaces: ['packages/*', 'services/*'], devDependencies: { vitest: '*' } }),
  );
  for (const name of VENDORS) {
    await write(
      folder,
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, main: 'index.js' }),
    );
    await write(folder, `node_modules/${name}/index.js`, '');
  }
  await mkdir(join(folder, 'node_modules/@residency'), { recursive: true });
  for (const [workspace, declared] of Object.entries(WORKSPACES)) {
    const name = `@residency/${workspace.split('/')[1]}`;
    const dependencies = Object.fromEntries(declared.map((other) => [other, '*']));
    await write(
      folder,
      `${workspace}/package.json`,
      JSON.stringify({ name, exports: { '.': './src/index.ts' }, dependencies }),
    );
    await write(folder, `${workspace}/src/index.ts`, 'export {};');
    await symlink(join(folder, workspace), join(folder, 'node_modules', name));
  }
  for (const [file, line] of CASES) await write(folder, file, `${line}\n`);
}

async function write(folder: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}
