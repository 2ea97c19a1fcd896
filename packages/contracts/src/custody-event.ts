import type {
  SampleCopied,
  SampleErased,
  SampleEvent,
  SampleLost,
  StoredSample,
} from '@residency/custody';
import { canonicalJson } from '@residency/residency';
import { z } from 'zod';
import { accessData } from './access-event.ts';
import type {
  AccessApprovedData,
  AccessRefusedData,
  AccessRequestedData,
  AccessedData,
} from './access-event.ts';
import { placedObject } from './audit-event.ts';
import type { StoredEvent } from './audit-event.ts';
import { ContractError } from './contract-error.ts';
import { sha256 } from './digest.ts';
import { checked, eventIn, eventJson } from './event-bytes.ts';
import { erasureAct, hex64, position, previous, region } from './fields.ts';
import { AUDIT_EVENT_BYTES } from './limits.ts';
import type { LogEntry } from './log-entry.ts';
import { custodyTopic } from './log-record.ts';
import type { CustodyTopic } from './log-record.ts';
import { formatPosition } from './position.ts';
import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  FOUND_OF_LOST,
  LOSS_CLOSED,
  LOSS_REFUSALS,
  LOSS_REFUSED,
  ORDER_CLOSED,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  SAMPLE_NOT_REPAIRED,
  UNPAID_CODES,
} from './vocabulary.ts';

/** The `act` of an order on `residency.control`. */
const order = z.string().min(1).max(64);
const copied = z.strictObject({
  previous,
  /** The position of the `stored` event. */
  of: position,
  submission: hex64,
  region,
  /**
   * The site from which the copy was made; `copy.site`: it was there already, and no other
   * site returned it.
   */
  from: z.string(),
  copy: placedObject,
  /** What had the key before. It was kept under `key`. */
  setAside: z.strictObject({ key: z.string(), sha256: hex64 }).optional(),
  /** The order by which a copy that the site had before was made anew. */
  order: order.optional(),
});
const notRepaired = z.strictObject({
  previous,
  of: position,
  submission: hex64,
  region,
  /** The site whose copy is not good. */
  site: z.string(),
  order,
  code: z.enum(UNPAID_CODES),
});
const count = z.int().nonnegative();
const closed = z.strictObject({
  previous,
  region,
  order,
  site: z.string(),
  /** Copies of the site that were compared with their events. */
  checked: count,
  /** Copies that were made anew. */
  copied: count,
  /** Copies that are not good and could not be made anew. */
  unpaid: count,
  /** Why the order was not carried out: no policy version gives the region such a site. */
  refused: z.literal('SITE_NOT_OF_REGION').optional(),
});
const erased = z.strictObject({
  previous,
  /** The position of the `stored` event. */
  of: position,
  submission: hex64,
  region,
  /** The order by which it was erased. */
  order: erasureAct,
  /** The sites that have a tombstone under the sample's key now, the arbiter first. */
  sites: z
    .array(
      z.strictObject({
        site: z.string(),
        /** Of the tombstone. */
        sha256: hex64,
        versionId: z.string().optional(),
        /** Older versions that were deleted. */
        versions: count,
        /** Set-aside objects of the submission that a tombstone replaced. */
        setAside: count,
        /** Unfinished uploads that were aborted. */
        uploads: count,
      }),
    )
    .min(1),
  /** The order to repair a site by which its tombstone was put again. */
  repair: order.optional(),
});
const lost = z.strictObject({
  previous,
  /** The position of the `stored` event. */
  of: position,
  submission: hex64,
  region,
  /** The order by which it was given up. */
  order: erasureAct,
  /** Every site in service, the arbiter first. Each answered, and none has a good copy. */
  sites: z.array(z.strictObject({ site: z.string(), found: z.enum(FOUND_OF_LOST) })).min(1),
});
const lossRefused = z.strictObject({
  previous,
  /** The position of the `stored` event; absent: there is none. */
  of: position.optional(),
  submission: hex64,
  region,
  order: erasureAct,
  code: z.enum(LOSS_REFUSALS),
  /** The site that has the good copy, or the object in place. */
  site: z.string().optional(),
});
const lossClosed = z.strictObject({
  previous,
  region,
  order: erasureAct,
  /** Samples that are lost by this order. */
  lost: count,
  /** Samples that are not, and submissions without one. */
  refused: count,
});
export const custodyData = {
  [SAMPLE_LOST]: lost,
  [LOSS_REFUSED]: lossRefused,
  [LOSS_CLOSED]: lossClosed,
  [SAMPLE_ERASED]: erased,
  [SAMPLE_COPIED]: copied,
  [SAMPLE_NOT_REPAIRED]: notRepaired,
  [ORDER_CLOSED]: closed,
  [SAMPLE_ACCESSED]: accessData.accessed,
  [ACCESS_REQUESTED]: accessData.requested,
  [ACCESS_APPROVED]: accessData.approved,
  [ACCESS_REFUSED]: accessData.refused,
};

export const custodyEnvelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.string().regex(/^(0|[1-9]\d{0,15})$/),
  source: z
    .string()
    .regex(/^\/residency\/[A-Za-z0-9._-]{1,64}\/residency\.custody\.[a-z0-9.-]{1,64}$/),
  type: z.enum([
    SAMPLE_COPIED,
    SAMPLE_ERASED,
    SAMPLE_NOT_REPAIRED,
    ORDER_CLOSED,
    SAMPLE_LOST,
    LOSS_REFUSED,
    LOSS_CLOSED,
    SAMPLE_ACCESSED,
    ACCESS_REQUESTED,
    ACCESS_APPROVED,
    ACCESS_REFUSED,
  ]),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  sequence: z.string().regex(/^\d{20}$/),
  causationid: z.string().min(1).max(64),
  data: z.unknown(),
});

export type CopiedData = z.infer<typeof copied>;
export type NotRepairedData = z.infer<typeof notRepaired>;
export type ClosedData = z.infer<typeof closed>;
export type ErasedData = z.infer<typeof erased>;
export type LostData = z.infer<typeof lost>;
export type LossRefusedData = z.infer<typeof lossRefused>;
export type LossClosedData = z.infer<typeof lossClosed>;

/** One event of a region's custody log (docs/formats/custody.md). */
export type CustodyEvent = {
  /** The log's name, the first part of positions. */
  readonly log: string;
  /** 0, 1, 2, ... in the region's custody log, without a gap. */
  readonly sequence: number;
  /** When the custodian did it, by its own clock, milliseconds. For people; nothing is decided by it. */
  readonly at: number;
} & (
  | { readonly type: typeof SAMPLE_COPIED; readonly data: CopiedData }
  | { readonly type: typeof SAMPLE_NOT_REPAIRED; readonly data: NotRepairedData }
  | { readonly type: typeof ORDER_CLOSED; readonly data: ClosedData }
  | { readonly type: typeof SAMPLE_ERASED; readonly data: ErasedData }
  | { readonly type: typeof SAMPLE_LOST; readonly data: LostData }
  | { readonly type: typeof LOSS_REFUSED; readonly data: LossRefusedData }
  | { readonly type: typeof LOSS_CLOSED; readonly data: LossClosedData }
  | { readonly type: typeof SAMPLE_ACCESSED; readonly data: AccessedData }
  | { readonly type: typeof ACCESS_REQUESTED; readonly data: AccessRequestedData }
  | { readonly type: typeof ACCESS_APPROVED; readonly data: AccessApprovedData }
  | { readonly type: typeof ACCESS_REFUSED; readonly data: AccessRefusedData }
);
export type CopiedEvent = Extract<CustodyEvent, { readonly type: typeof SAMPLE_COPIED }>;
export type ErasedEvent = Extract<CustodyEvent, { readonly type: typeof SAMPLE_ERASED }>;
export type LostEvent = Extract<CustodyEvent, { readonly type: typeof SAMPLE_LOST }>;
/** An event about an access. */
export type AccessEvent = Extract<CustodyEvent, { readonly data: { readonly access: string } }>;

export function isAccessEvent(event: CustodyEvent): event is AccessEvent {
  return 'access' in event.data;
}

/** An event that may be about an order to repair a site. */
export type RepairEvent = Extract<
  CustodyEvent,
  { readonly type: typeof SAMPLE_COPIED | typeof SAMPLE_NOT_REPAIRED | typeof ORDER_CLOSED }
>;

/** True for an event of the order to repair a site with this `act`. */
export function isOfOrder(event: CustodyEvent, act: string): event is RepairEvent {
  const { type, data } = event;
  const isOfRepairs =
    type === SAMPLE_COPIED || type === SAMPLE_NOT_REPAIRED || type === ORDER_CLOSED;
  return isOfRepairs && 'order' in data && data.order === act;
}

const inner = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal(SAMPLE_COPIED), data: copied }),
  z.strictObject({ type: z.literal(SAMPLE_NOT_REPAIRED), data: notRepaired }),
  z.strictObject({ type: z.literal(ORDER_CLOSED), data: closed }),
  z.strictObject({ type: z.literal(SAMPLE_ERASED), data: erased }),
  z.strictObject({ type: z.literal(SAMPLE_LOST), data: lost }),
  z.strictObject({ type: z.literal(LOSS_REFUSED), data: lossRefused }),
  z.strictObject({ type: z.literal(LOSS_CLOSED), data: lossClosed }),
  z.strictObject({ type: z.literal(SAMPLE_ACCESSED), data: accessData.accessed }),
  z.strictObject({ type: z.literal(ACCESS_REQUESTED), data: accessData.requested }),
  z.strictObject({ type: z.literal(ACCESS_APPROVED), data: accessData.approved }),
  z.strictObject({ type: z.literal(ACCESS_REFUSED), data: accessData.refused }),
]);

/** What the event is about: the submission, the order or the access. Also its record's key. */
function causeOf({ data }: Pick<CustodyEvent, 'type' | 'data'>): string {
  if ('submission' in data) return data.submission;
  return 'order' in data ? data.order : data.access;
}

/** A custody event's record, in its region's topic. */
export type CustodyEntry = LogEntry & { readonly topic: CustodyTopic };

/** RFC 8785 form. Throws `CUSTODY_EVENT_TOO_LARGE` beyond 16 KiB. */
export function encodeCustodyEvent(event: CustodyEvent): Buffer {
  const { log, sequence, at, type, data } = event;
  const bytes = Buffer.from(
    canonicalJson({
      specversion: '1.0',
      id: String(sequence),
      source: `/residency/${log}/${custodyTopic(data.region)}`,
      type,
      time: new Date(at).toISOString(),
      datacontenttype: 'application/json',
      sequence: String(sequence).padStart(20, '0'),
      causationid: causeOf(event),
      data,
    }),
    'utf8',
  );
  if (bytes.length > AUDIT_EVENT_BYTES)
    throw new ContractError({
      code: 'CUSTODY_EVENT_TOO_LARGE',
      message: `Expected a custody event of at most ${AUDIT_EVENT_BYTES} bytes, found ${bytes.length} for event ${sequence}. This is a defect: report it.`,
      remedy: 'stop',
    });
  return bytes;
}

/** The inverse of `encodeCustodyEvent`; throws `INVALID_CUSTODY_EVENT`. */
export function decodeCustodyEvent(bytes: Uint8Array): CustodyEvent {
  const outer = checked(custodyEnvelope, eventJson(bytes, invalid), invalid);
  const found = checked(inner, { type: outer.type, data: outer.data }, invalid);
  const { id, sequence, source, causationid, time } = outer;
  const log = source.split('/')[2] ?? '';
  const consistent =
    BigInt(sequence) === BigInt(id) &&
    Number.isSafeInteger(Number(id)) &&
    source === `/residency/${log}/${custodyTopic(found.data.region)}` &&
    causationid === causeOf(found);
  if (!consistent)
    throw invalid('id, source, sequence and causationid do not agree with one another and data');
  return { log, sequence: Number(id), at: Date.parse(time), ...found };
}

/**
 * Like `decodeCustodyEvent`. `undefined`: the value is missing, or no custody event. Everybody with
 * write access to the log controls it.
 */
export function custodyEventIn(value: Uint8Array | null | undefined): CustodyEvent | undefined {
  return eventIn(value, decodeCustodyEvent);
}

/** The event as its topic gets it. Throws as `encodeCustodyEvent`. */
export function custodyEntry(event: CustodyEvent): CustodyEntry {
  return entryOf(event, encodeCustodyEvent(event));
}

/**
 * The entry of an event's own bytes. Throws `INVALID_CUSTODY_EVENT` if they are no custody event of
 * this region.
 */
export function custodyEntryOf(value: Buffer, region: string): CustodyEntry {
  const event = decodeCustodyEvent(value);
  if (event.data.region !== region) throw invalid("another region's event");
  return entryOf(event, value);
}

/** The entry of what a ledger has of a region's custody log; it need not be a custody event. */
export function restoredCustodyEntry(value: Buffer, place: string): CustodyEntry {
  const event = custodyEventIn(value);
  return {
    topic: custodyTopic(place),
    record: event === undefined ? { key: null, headers: [], value } : entryOf(event, value).record,
  };
}

function entryOf(event: CustodyEvent, value: Buffer): CustodyEntry {
  return {
    topic: custodyTopic(event.data.region),
    record: {
      key: Buffer.from(causeOf(event)),
      headers: [['content-type', Buffer.from('application/cloudevents+json')]],
      value,
    },
  };
}

/** The `previous` of the event after this one. */
export function custodyDigest(value: Uint8Array): string {
  return sha256(value);
}

/** The event as the fold of `@residency/custody` reads it. */
export function sampleCopied({ data }: CopiedEvent): SampleCopied {
  const { of, submission, region: place, copy, order: by } = data;
  return { type: 'copied', of, submission, region: place, copy, isRepair: by !== undefined };
}

/** The event as the fold of `@residency/custody` reads it. */
export function sampleErased({ data }: ErasedEvent): SampleErased {
  const { of, submission, region: place, order: by, sites } = data;
  return {
    type: 'erased',
    of,
    submission,
    region: place,
    order: by,
    sites: sites.map(({ site }) => site),
  };
}

/** The event as the fold of `@residency/custody` reads it. */
export function sampleLost({ data }: LostEvent): SampleLost {
  const { of, submission, region: place, order: by, sites } = data;
  return {
    type: 'lost',
    of,
    submission,
    region: place,
    order: by,
    sites: sites.map(({ site }) => site),
  };
}

/** An event that says where a stored sample is. */
export type WhereEvent = CopiedEvent | ErasedEvent | LostEvent;

export function isWhereEvent(event: CustodyEvent): event is WhereEvent {
  return event.type === SAMPLE_COPIED || event.type === SAMPLE_ERASED || event.type === SAMPLE_LOST;
}

/** The event as the fold of `@residency/custody` reads it. */
export function sampleEvent(event: WhereEvent): SampleEvent {
  switch (event.type) {
    case SAMPLE_COPIED:
      return sampleCopied(event);
    case SAMPLE_ERASED:
      return sampleErased(event);
    case SAMPLE_LOST:
      return sampleLost(event);
    default:
      return event satisfies never;
  }
}

/** A `stored` event as the fold of `@residency/custody` reads it. */
export function storedSample({
  position,
  data: { submission, decision, placements },
}: StoredEvent): StoredSample {
  const [first, ...others] = placements;
  if (first === undefined) throw new TypeError('Expected a stored event with a placement.');
  return {
    position: formatPosition(position),
    submission,
    region: decision.region,
    placements: [first, ...others],
  };
}

function invalid(what: string, cause?: unknown): ContractError {
  return new ContractError({
    code: 'INVALID_CUSTODY_EVENT',
    message: `Expected a custody event as in docs/formats/custody.md; wrong: ${what}.`,
    remedy: 'stop',
    cause,
  });
}
