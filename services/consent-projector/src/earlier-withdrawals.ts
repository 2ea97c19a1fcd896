import { withdrawalsIn } from '@residency/contracts';
import type { ProjectOptions } from './project.ts';

/**
 * Calls `onWithdrawn` with the withdrawals that were projected before, by a projector that may have
 * kept the samples. Resolves once they are read. Rejects with the errors of its ports.
 */
export async function noticeEarlier({
  source,
  projection,
  signal,
  onWithdrawn,
}: Required<
  Pick<ProjectOptions, 'source' | 'projection' | 'signal' | 'onWithdrawn'>
>): Promise<void> {
  const next = (await projection.position())?.next ?? 0n;
  if (next === 0n) return;
  for await (const records of source.batches(undefined, signal)) {
    const earlier = withdrawalsIn(
      source.log,
      records.filter(({ offset }) => offset < next),
    );
    if (earlier.length > 0) await onWithdrawn(earlier);
    if ((records.at(-1)?.offset ?? next) + 1n >= next) return;
  }
}
