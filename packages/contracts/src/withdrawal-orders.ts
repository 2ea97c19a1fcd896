import { formatInstant, parseInstant } from '@residency/residency';
import { readConsentRecord } from './consent-record.ts';
import type { ControlEvent } from './control-event.ts';
import { sha256OfParts } from './digest.ts';
import { NO_ERASURES } from './erasure-orders.ts';
import type { Erasures } from './erasure-orders.ts';
import { TOPICS } from './log-record.ts';
import type { LogRecord } from './log-record.ts';
import { formatPosition } from './position.ts';
import { ERASURE_ORDERED, NAMED_IN_ORDER } from './vocabulary.ts';

/** A consent was withdrawn. */
export interface Withdrawal {
  readonly consentId: string;
  /** Append time of the withdrawal, milliseconds. */
  readonly at: number;
  /** Where the withdrawal is in the consent log. */
  readonly position: string;
}

/** Who orders without a person, on `residency.control`. */
const PRINCIPAL = 'withdrawal';
const REASON = 'consent withdrawn';

/** The withdrawals among records of the consent log. Records without a consent event are skipped. */
export function withdrawalsIn(log: string, records: readonly LogRecord[]): readonly Withdrawal[] {
  return records.flatMap((record) => {
    const consentId = withdrawnBy(record);
    const { partition, offset, at } = record;
    return consentId === undefined
      ? []
      : [
          {
            consentId,
            at,
            position: formatPosition({ log, topic: TOPICS.consents, partition, offset }),
          },
        ];
  });
}

/**
 * Orders to erase what was given under withdrawn consents, of the withdrawals that `erasures` does
 * not cover. An order for one region covers nothing: the withdrawal is about all. The same withdrawals give the same acts.
 */
export function withdrawalOrders(
  withdrawals: readonly Withdrawal[],
  { orders }: Erasures = NO_ERASURES,
): readonly ControlEvent[] {
  const covered = new Map<string, number>();
  for (const { region, consents } of orders)
    for (const { consentId, before } of region === undefined ? consents : [])
      covered.set(
        consentId,
        Math.max(covered.get(consentId) ?? -Infinity, parseInstant(before) ?? -Infinity),
      );
  // A later withdrawal of a consent covers its earlier ones.
  const open = new Map<string, Withdrawal>();
  for (const withdrawal of withdrawals) {
    const { consentId, at } = withdrawal;
    if (Math.max(covered.get(consentId) ?? -Infinity, open.get(consentId)?.at ?? -Infinity) < at)
      open.set(consentId, withdrawal);
  }
  const all = [...open.values()];
  return Array.from({ length: Math.ceil(all.length / NAMED_IN_ORDER) }, (_, part) =>
    orderOf(all.slice(part * NAMED_IN_ORDER, (part + 1) * NAMED_IN_ORDER)),
  );
}

function orderOf(withdrawals: readonly Withdrawal[]): ControlEvent {
  return {
    type: ERASURE_ORDERED,
    principal: PRINCIPAL,
    data: {
      act: actOf(withdrawals),
      reason: REASON,
      consents: withdrawals.map(({ consentId, at }) => ({ consentId, before: formatInstant(at) })),
    },
  };
}

/** A UUID of version 8 (RFC 9562). Of all withdrawals: an act that was used before orders nothing. */
function actOf(withdrawals: readonly Withdrawal[]): string {
  const hex = sha256OfParts(
    REASON,
    ...withdrawals.flatMap(({ consentId, position }) => [consentId, position]),
  );
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function withdrawnBy(record: LogRecord): string | undefined {
  try {
    const event = readConsentRecord(record);
    return event?.kind === 'withdrawn' ? event.consentId : undefined;
  } catch {
    return undefined;
  }
}
