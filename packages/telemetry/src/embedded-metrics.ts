import type { IntakeFacts } from '@residency/observation';
import type { Instruments } from './instruments.ts';
import { unsettledAge } from './unsettled-age.ts';

/** `intake` is called before each rendering; a rejection means unknown. */
export function embeddedMetrics(
  make: Instruments,
  intake: () => Promise<IntakeFacts>,
  now: () => number,
): void {
  const show = unsettledAge(make, now, async () => {
    show((await intake().catch(() => undefined))?.partitions);
  });
}
