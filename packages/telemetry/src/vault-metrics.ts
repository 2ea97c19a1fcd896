import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

export const ACCESS_RESULTS = [
  'recorded',
  'approved',
  'released',
  'searched',
  'refused',
  'failed',
] as const;
export type AccessResult = (typeof ACCESS_RESULTS)[number];

export interface VaultMetrics {
  /** Called for each answer about an access or a search. */
  readonly answered: (region: string, result: AccessResult) => void;
}

export function vaultMetrics(make: Instruments, regions: readonly string[]): VaultMetrics {
  const region = new BoundedLabel(regions);
  const answers = make.counter('residency_accesses_total');
  for (const one of regions)
    for (const result of ACCESS_RESULTS) answers.inc({ region: one, result }, 0);
  return {
    answered: (where, result) => {
      answers.inc({ region: region.value(where), result });
    },
  };
}
