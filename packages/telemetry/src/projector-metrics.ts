import type { Instruments } from './instruments.ts';

export interface ProjectorMetrics {
  /**
   * The view applied `records` more records. `skipped`: the number since the start that held no
   * consent event.
   */
  moved(records: number, skipped: number): void;
  ticked(result: 'ok' | 'failed'): void;
}

export function projectorMetrics(make: Instruments): ProjectorMetrics {
  const read = make.counter('residency_projector_records_total');
  const passedOver = make.counter('residency_projector_skipped_total');
  const ticks = make.counter('residency_ticks_total');
  let known = 0;
  for (const result of ['ok', 'failed'] as const) ticks.inc({ result }, 0);
  return {
    moved: (records, skipped) => {
      read.inc(records);
      passedOver.inc(Math.max(0, skipped - known));
      known = Math.max(known, skipped);
    },
    ticked: (result) => {
      ticks.inc({ result });
    },
  };
}
