import { openStack } from '../../stack/index.ts';
import { siteLostRun } from './site-lost-run.ts';
import { SiteLostTally } from './tally.ts';

/** On one stack: its topics make a killed broker slower to start. */
const RUNS_ON_A_STACK = 5;

export interface SiteLostRuns {
  readonly runs: number;
  /** Of the first run; the others have the next ones. */
  readonly seed: number;
  readonly losses: number;
  readonly submissions: number;
  /** After so long no further run begins. Default: no limit. */
  readonly minutes?: number;
  readonly note: (line: string) => void;
  readonly onRun?: (tally: SiteLostTally) => void;
}

export async function siteLostRuns(options: SiteLostRuns): Promise<SiteLostTally> {
  const { runs, seed, losses, submissions, minutes = Infinity, note } = options;
  const until = performance.now() + minutes * 60_000;
  const tally = new SiteLostTally();
  for (let from = 0; from < runs && performance.now() < until; from += RUNS_ON_A_STACK) {
    const stack = await openStack({ brokers: 1, sites: true, redis: true });
    try {
      for (let run = from; run < Math.min(runs, from + RUNS_ON_A_STACK); run += 1) {
        if (performance.now() >= until) break;
        await siteLostRun(
          stack,
          {
            seed: seed + run,
            losses,
            submissions,
            note: (line) => {
              note(`seed ${seed + run}: ${line}`);
            },
          },
          tally,
        );
        options.onRun?.(tally);
      }
    } finally {
      await stack.close();
    }
  }
  return tally;
}
