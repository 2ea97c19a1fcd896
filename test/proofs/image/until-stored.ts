import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLines } from '../../e2e/residency.ts';

const WITHIN_MS = 120_000;

/**
 * The region in which a submission is stored, once it is settled; what else became of it.
 * `status`: `residency status ID --json`.
 */
export async function untilStored(
  status: (submission: string) => Promise<string>,
  submission: string,
): Promise<string> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const [answer] = jsonLines(await status(submission));
    if (answer?.['state'] === 'settled') {
      const [{ outcome, region, reason } = {}] = answer['outcomes'] as readonly Outcome[];
      return outcome === 'stored' && region !== undefined ? region : `${outcome} ${reason}`;
    }
    if (performance.now() > deadline) return String(answer?.['state']);
    await sleep(500);
  }
}

interface Outcome {
  readonly outcome?: string;
  readonly region?: string;
  readonly reason?: string;
}
