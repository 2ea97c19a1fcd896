import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/** Why files of a suffix take their time (CONTRIBUTING, Tests). */
const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/\.int\.test\.ts$/, 'real servers and processes'],
  [/\.fault\.test\.ts$/, 'faults, waits and the reconciler'],
  [/\.contract\.test\.ts$/, "an adapter's contract suite"],
  [/\.search\.test\.ts$/, 'searches'],
  [/\.test\.ts$/, 'computation'],
];

/** What a run spent its time on: the files that took longest, and what each suffix took together. */
export default class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules
      .map((module) => ({
        path: module.relativeModuleId,
        cause: causeOf(module.relativeModuleId),
        ms: spentBy(module),
      }))
      .toSorted((a, b) => b.ms - a.ms);
    if (files.length <= SHOWN) return;
    console.log(`\n The ${SHOWN} slowest of ${files.length} files`);
    for (const { path, cause, ms } of files.slice(0, SHOWN))
      console.log(`${seconds(ms)}  ${path} (${cause})`);
    console.log(' Together by cause');
    for (const [, cause] of CAUSES) {
      const these = files.filter((file) => file.cause === cause);
      if (these.length > 0)
        console.log(
          `${seconds(these.reduce((sum, { ms }) => sum + ms, 0))}  ${cause}, ${these.length} files`,
        );
    }
  }
}

/** Its tests, its hooks, and the modules that it loads. */
function spentBy(module: TestModule): number {
  const { collectDuration, duration, setupDuration } = module.diagnostic();
  return collectDuration + duration + setupDuration;
}

function causeOf(path: string): string {
  return CAUSES.find(([suffix]) => suffix.test(path))?.[1] ?? 'computation';
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(9)} s`;
}
