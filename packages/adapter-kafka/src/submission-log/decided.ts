import type { Topic } from '@residency/contracts';
import { pause } from '@residency/waiting';
import type { IntakeReads } from './intake-reads.ts';

const DECIDED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

type Extents = Pick<IntakeReads, 'extent'>;

/** True if a transaction is open in the partition. */
export async function isUndecided(
  reads: Extents,
  topic: Topic,
  partition: number,
): Promise<boolean> {
  const { end, decided } = await reads.extent(topic, partition);
  return decided < end;
}

/**
 * Waits until everything that is in the partition at the call is committed or aborted. False if it
 * is not within so many milliseconds.
 */
export async function untilDecided(
  reads: Extents,
  topic: Topic,
  partition: number,
  withinMs = DECIDED_WITHIN_MS,
): Promise<boolean> {
  const { end: goal, decided: before } = await reads.extent(topic, partition);
  for (let [decided, waited] = [before, 0]; ; waited += LOOK_EVERY_MS) {
    if (decided >= goal) return true;
    if (waited >= withinMs) return false;
    await pause(LOOK_EVERY_MS);
    ({ decided } = await reads.extent(topic, partition));
  }
}
