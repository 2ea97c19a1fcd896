import { encodeObjectMetadata, tombstoneBytes, tombstoneOf } from '@residency/contracts';
import type { ErasableSample, ObjectMetadata, StoredEvent } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { canonicalJson, tryReadJson } from '@residency/residency';
import { metadataOf } from './check-object.ts';
import type { Fault } from './check-object.ts';
import type { OrderBook } from './order-book.ts';
import type { FoundObject } from './ports/site-reader.ts';

/** No tombstone has more. */
const TOMBSTONE_BYTES = 256;

export const TOMBSTONE_MISSING: Fault = {
  code: 'TOMBSTONE_MISSING',
  message:
    'Expected a tombstone in the place of an erased sample, found nothing, so that the sample could be stored there again; have it put anew (residency site repair).',
};

export const ERASED_BUT_PRESENT: Fault = {
  code: 'ERASED_BUT_PRESENT',
  message:
    'Expected a tombstone in the place of an erased sample, found something else; have it erased again (residency site repair).',
};

export const TOMBSTONE_WITHOUT_ORDER: Fault = {
  code: 'ERASED_WITHOUT_ORDER',
  message:
    'Expected a tombstone to name an order of the control log about its sample, found none; see who else may write to this site, and restore the sample from another site of its region.',
};

/**
 * The `act` of the order that a tombstone of the event's sample names; `undefined`: the object is no
 * such tombstone. The store controls the object.
 */
export function tombstoneIn(found: FoundObject, event: StoredEvent): string | undefined {
  const metadata = metadataOf(found);
  if (metadata?.erased === undefined) return undefined;
  const expected = tombstoneOf(event, metadata.erased);
  return expected.bytes.equals(found.bytes) && written(metadata) === written(expected.metadata)
    ? metadata.erased
    : undefined;
}

function written(metadata: ObjectMetadata): string {
  return canonicalJson(encodeObjectMetadata(metadata));
}

/**
 * The `act` of the order that a tombstone's bytes name; `undefined`: they are no tombstone's of this
 * submission. For set-aside keys, where a tombstone has no metadata. The store controls the bytes.
 */
export function orderIn(bytes: Buffer, submission: string): string | undefined {
  if (bytes.length > TOMBSTONE_BYTES) return undefined;
  const found = tryReadJson(bytes);
  const erased =
    typeof found === 'object' && found !== null && 'erased' in found ? found.erased : undefined;
  return typeof erased === 'string' && tombstoneBytes(submission, erased).equals(bytes)
    ? erased
    : undefined;
}

/** Whether a tombstone may name this order. An order of an `erased` event is judged with the event. */
export async function isOrdered(
  act: string,
  orders: OrderBook,
  sample: ErasableSample,
  holding?: Pick<Holding, 'erased'>,
): Promise<boolean> {
  return act === holding?.erased?.order || (await orders.names(act, sample));
}
