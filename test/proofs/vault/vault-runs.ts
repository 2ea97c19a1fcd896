import { openStack } from '../../stack/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { vaultRun } from './vault-run.ts';
import { VaultTally } from './vault-tally.ts';

export interface VaultRuns {
  /** Rounds in all: one thing is killed or frozen in each. */
  readonly rounds: number;
  readonly accesses: number;
  /** Of the first run; the others have the next ones. */
  readonly seed: number;
  readonly note: (line: string) => void;
}

/** In one deployment: the log of a longer one takes longer to verify whole at each answer. */
const ROUNDS_OF_A_RUN = 10;

export async function vaultRuns({ rounds, accesses, seed, note }: VaultRuns): Promise<VaultTally> {
  const tally = new VaultTally();
  for (let from = 0, run = seed; from < rounds; from += ROUNDS_OF_A_RUN, run += 1) {
    const stack = await openStack({ brokers: 1, sites: true, redis: true });
    try {
      await vaultRun(
        stack,
        {
          random: new SeededRandom(run),
          rounds: Math.min(ROUNDS_OF_A_RUN, rounds - from),
          accesses,
          note: (line) => {
            note(`seed ${run}: ${line}`);
          },
        },
        tally,
      );
    } finally {
      await stack.close();
    }
  }
  return tally;
}
