import {
  TOPICS,
  encodeAuditEvent,
  encodeQuarantinePointer,
  formatPosition,
} from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { Batch, Settlement } from '@residency/routing';
import { lookupOf } from './audit-lookup.ts';
import type { WireSettlement } from './settling.ts';
import { packEntries } from './wire.ts';
import type { AppendEntry } from './wire.ts';

/**
 * Encodes settlements for one transaction. Encoding checks each event's size before the transaction
 * begins.
 */
export function packSettlement(
  batch: Batch,
  settlements: readonly Settlement[],
): { readonly settlement: WireSettlement; readonly transfer: ArrayBuffer[] } {
  const events = packEntries(settlements.map(({ event }) => auditEntry(event)));
  const pointers = packEntries(
    settlements.flatMap(({ pointer }) =>
      pointer === undefined
        ? []
        : [
            {
              topic: TOPICS.quarantine,
              record: {
                key: Buffer.from(pointer.position),
                headers: contentType('application/json'),
                value: encodeQuarantinePointer(pointer),
              },
            },
          ],
    ),
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
      settled,
      audits,
      pointers: pointers.packed,
    },
    transfer: [events.buffer, pointers.buffer],
  };
}

function auditEntry(event: AuditEvent): AppendEntry {
  return {
    topic: TOPICS.audit,
    record: {
      key: Buffer.from(event.data.submission ?? formatPosition(event.position)),
      headers: contentType('application/cloudevents+json'),
      value: encodeAuditEvent(event),
    },
  };
}

function contentType(type: string): AppendEntry['record']['headers'] {
  return [['content-type', Buffer.from(type)]];
}
