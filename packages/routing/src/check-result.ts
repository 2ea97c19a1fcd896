import { AUDIT_EVENT_BYTES } from '@residency/contracts/limits';
import type { Batch, BatchResult } from './ports/submission-log.ts';
import { RoutingError } from './routing-error.ts';

/**
 * Throws unless the result is a prefix of its batch. Otherwise progress could skip a record without
 * an outcome. Such a result is a defect, and nothing of it is settled.
 */
export function checkResult(batch: Batch, { settlements, blocked }: BatchResult): void {
  const rest = batch.records[settlements.length];
  if (settlements.length > batch.records.length) throw invalid('more settlements than records');
  for (const [index, { event, audit, quarantine }] of settlements.entries()) {
    const { log, topic, partition, offset } = event.position;
    const inPlace =
      log === batch.log &&
      topic === batch.topic &&
      partition === batch.partition &&
      offset === batch.records[index]?.offset;
    if (!inPlace) throw invalid("a settlement that is not its record's");
    const bytes = audit.record.value?.length ?? 0;
    if (bytes === 0 || bytes > AUDIT_EVENT_BYTES) throw invalid(`an event of ${bytes} bytes`);
    if ((quarantine !== undefined) !== (event.outcome === 'quarantined'))
      throw invalid('a pointer without a quarantine, or a quarantine without one');
  }
  if (blocked === undefined && rest !== undefined && !batch.signal.aborted)
    throw invalid('records left without a reason');
  if (blocked !== undefined && blocked.offset !== rest?.offset)
    throw invalid('a block at another record than the first one left');
}

function invalid(found: string): RoutingError {
  return new RoutingError({
    code: 'SETTLEMENT_INVALID',
    message: `Expected one settlement for each of a batch's first records, found ${found}. This is a defect; nothing was settled.`,
    remedy: 'stop',
  });
}
