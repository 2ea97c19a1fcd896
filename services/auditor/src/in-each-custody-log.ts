import { custodyLogsOf } from '@residency/auditing';
import { remedyOf } from '@residency/coded-error';
import type { TopicPartition } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import { pause } from '@residency/waiting';

export interface CustodyLogsDeps {
  /** Every published version, valid or not, in log order. */
  readonly policies: () => Promise<readonly PolicyPublished[]>;
  readonly signal: AbortSignal;
  /** Called with each error before the policies are read again, and with `undefined` once they are. */
  readonly waits: (error: unknown) => void;
  /** Between two looks at the policies, milliseconds. Default 5 s. */
  readonly everyMs?: number;
}

/** At a start the policies are read within a moment, and probes name them until then. */
const RETRY_MS = 250;

/**
 * Runs `work` for the custody log of each region, also of regions that a later policy version
 * names, until `signal` is aborted. Rejects with the first error of a `work`, and with an error of
 * `policies` that is not `retry`, once every `work` has ended.
 */
export async function inEachCustodyLog(
  { policies, signal, waits, everyMs = 5_000 }: CustodyLogsDeps,
  work: (of: TopicPartition, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const together = AbortSignal.any([signal, failed.signal]);
  const running = new Map<string, Promise<void>>();
  const begin = (of: TopicPartition): void => {
    const one = work(of, together);
    one.catch((error: unknown) => {
      failed.abort(error);
    });
    running.set(of.topic, one);
  };
  try {
    while (!together.aborted) {
      let waitMs = everyMs;
      try {
        for (const of of custodyLogsOf(await policies())) if (!running.has(of.topic)) begin(of);
        waits(undefined);
      } catch (error) {
        if (remedyOf(error) !== 'retry') throw error;
        waits(error);
        waitMs = Math.min(everyMs, RETRY_MS);
      }
      await pause(waitMs, together);
    }
  } finally {
    failed.abort();
    await Promise.allSettled(running.values());
  }
  await Promise.all(running.values());
}
