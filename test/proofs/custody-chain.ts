import { sha256 } from './on-disk.ts';

/** A custody event as its topic has it. */
interface CustodyEventRow {
  readonly sequence?: string;
  readonly bytes: Buffer;
  readonly data: { readonly previous?: unknown };
}

/** A custody log: numbers without a gap, and each event names the digest of the one before. */
export function custodyChainFaults(events: readonly CustodyEventRow[]): readonly string[] {
  return events.flatMap(({ sequence, data: { previous } }, index) => {
    const before = events[index - 1];
    const must = before === undefined ? null : sha256(before.bytes);
    return Number(sequence) === index && previous === must
      ? []
      : [`the custody event ${index} has the number ${sequence} and names ${String(previous)}`];
  });
}
