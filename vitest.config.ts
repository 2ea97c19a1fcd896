import { defineConfig } from 'vitest/config';

// One process for the whole suite: the suffix of a file tells its cost (STYLE: .test, .contract.test, .int.test, .fault.test).
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'services/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Most of the long ones wait for servers and time-outs; on two cores three at a time still leave room.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
    passWithNoTests: false,
    globalSetup: ['test/stack/global-setup.ts'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  },
});
