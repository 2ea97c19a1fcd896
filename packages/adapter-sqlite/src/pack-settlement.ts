import type { Batch, Settlement } from '@residency/routing';
import { lookupOf } from './audit-lookup.ts';
import type { WireSettlement } from './settling.ts';
import { packEntries } from './wire.ts';

/** Packs settlements for one transaction. `control`: the end of the control log at the batch's read. */
export function packSettlement(
  batch: Batch,
  settlements: readonly Settlement[],
  control: number,
): { readonly settlement: WireSettlement; readonly transfer: ArrayBuffer[] } {
  const events = packEntries(settlements.map(({ audit }) => audit));
  const pointers = packEntries(
    settlements.flatMap(({ quarantine }) => (quarantine === undefined ? [] : [quarantine])),
  );
  const audits = settlements.flatMap(({ event }, index) => {
    const entry = events.packed[index];
    return entry === undefined ? [] : [{ entry, ...lookupOf(event) }];
  });
  const { previous, records } = batch;
  const settled = Number(records[settlements.length - 1]?.offset);
  return {
    settlement: {
      previous: previous === null ? null : Number(previous),
      control,
      settled,
      audits,
      pointers: pointers.packed,
    },
    transfer: [events.buffer, pointers.buffer],
  };
}
