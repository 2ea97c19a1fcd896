import type { CustodyTopic, LogRecord } from '@residency/contracts';
import type { CustodyRecord } from '@residency/custodianship';
import type { ReadTopic } from './read-topic.ts';

/** The records of a region's custody log from an offset on, up to its end at the call. */
export async function* custodyRecords(
  read: ReadTopic,
  topic: CustodyTopic,
  from = 0n,
): AsyncGenerator<CustodyRecord> {
  for await (const { offset, value } of read(topic, { from, until: 'end' }))
    yield { offset, value: value ?? Buffer.alloc(0) };
}

/** As `custodyRecords`, for a comparison with the ledger. */
export async function* custodyBatches(
  read: ReadTopic,
  topic: CustodyTopic,
): AsyncGenerator<readonly LogRecord[]> {
  for await (const record of read(topic, { until: 'end' })) yield [record];
}
