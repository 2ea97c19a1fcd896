import type { LogRecord } from '@residency/contracts';
import type { CustodyRecord } from '@residency/custodianship';

/** The records of a region's custody log, from the batches of its topic. */
export async function* custodyRecords(
  batches: AsyncIterable<readonly LogRecord[]>,
): AsyncGenerator<CustodyRecord> {
  for await (const records of batches)
    for (const { offset, value } of records) yield { offset, value: value ?? Buffer.alloc(0) };
}
