import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first-sequencer.ts';

// Workers and the processes that tests start begin in half the time with the code compiled before.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/code');

/** Every test file with one of these endings. */
function filesOf(...endings: readonly string[]): string[] {
  return ['packages/*/test', 'services/*/test', 'test'].flatMap((folder) =>
    endings.map((ending) => `${folder}/**/*${ending}.test.ts`),
  );
}

const WITH_SERVERS = ['.int', '.fault', '.contract'] as const;
const COMMAND_LINE = 'services/cli/test/**/*.int.test.ts';
// Some load kafkajs's own files before it is mended, which would then fail in the same worker.
const KAFKAJS = 'packages/adapter-kafka/test/**/*.test.ts';
/** What they check is the tree: imports, documents, formats, rules, the image. */
const TREE = ['architecture', 'compose-and-image', 'formats', 'prometheus'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
const SEARCHES = filesOf('.search');
const ALONE = filesOf('.alone');
const globalSetup = ['test/stack/global-setup.ts'];
const state = mkdtempSync(join(tmpdir(), 'residency-tests-state-'));
process.once('exit', () => {
  rmSync(state, { recursive: true, force: true });
});
const everywhere = {
  // A busy machine is slow, and a test may be dozens of processes; no test asserts a time.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 300_000 } },
  // What is kept apart from a data directory must not stand in the home of who runs the tests.
  env: { XDG_STATE_HOME: state },
  execArgv: ['--disable-warning=ExperimentalWarning'],
  // Twice the cores of CI: files with servers mostly wait.
  maxWorkers: 4,
};

// The suffix of a file tells its cost (CONTRIBUTING, Tests). `npm run test:unit` runs `pure` and
// `kafkajs`.
export default defineConfig({
  test: {
    allowOnly: false,
    passWithNoTests: false,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/slowest-files-reporter.ts'],
    projects: [
      {
        test: {
          ...everywhere,
          name: 'pure',
          include: filesOf(''),
          exclude: [...filesOf(...WITH_SERVERS), ...SEARCHES, ...ALONE, ...TREE, KAFKAJS],
          // They share nothing that one could leave changed: code is loaded once a worker.
          isolate: false,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'kafkajs',
          include: [KAFKAJS],
          exclude: [...filesOf(...WITH_SERVERS), ...SEARCHES],
        },
      },
      {
        test: {
          ...everywhere,
          name: 'tree',
          include: TREE,
          exclude: [...filesOf(...WITH_SERVERS), ...SEARCHES],
          isolate: false,
        },
      },
      { test: { ...everywhere, name: 'searches', include: SEARCHES } },
      {
        test: {
          ...everywhere,
          name: 'servers',
          include: filesOf(...WITH_SERVERS),
          exclude: [COMMAND_LINE],
          globalSetup,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'command-line',
          include: [COMMAND_LINE],
          globalSetup,
          // The commands' code is most of what such a file costs.
          isolate: false,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'alone',
          include: ALONE,
          // They measure CPU, so they run after all others, one at a time.
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
        },
      },
    ],
  },
});
