import type { ControlEvent } from './control-event.ts';
import { ERASURE_ORDERED, HOLD_LIFTED, HOLD_PLACED } from './vocabulary.ts';

const ERASURE_TYPES = [ERASURE_ORDERED, HOLD_PLACED, HOLD_LIFTED] as const;
type ErasureEvent = Extract<ControlEvent, { readonly type: (typeof ERASURE_TYPES)[number] }>;

/** An order to the custodians. It stands for ever, so it takes in what is stored later too. */
export interface ErasureOrder {
  readonly act: string;
  /** Append time of its event, milliseconds. */
  readonly at: number;
  readonly reason: string;
  readonly submissions: readonly string[];
  /** Records that were appended before `before` (RFC 3339) under this consent. */
  readonly consents: readonly { readonly consentId: string; readonly before: string }[];
}

export interface Hold {
  readonly act: string;
  /** Append time of its event, milliseconds. */
  readonly at: number;
  readonly reason: string;
  readonly submissions: readonly string[];
  readonly consents: readonly string[];
  /** Append time of the lifting, milliseconds; absent: it is open. */
  readonly liftedAt?: number;
}

/** What the control log says of erasure, in order. An act that was used before changes nothing. */
export interface Erasures {
  readonly orders: readonly ErasureOrder[];
  readonly holds: readonly Hold[];
}

export const NO_ERASURES: Erasures = { orders: [], holds: [] };

export function isErasureEvent(event: ControlEvent): event is ErasureEvent {
  return ERASURE_TYPES.some((type) => type === event.type);
}

/** `at`: the event's append time, milliseconds. */
export function evolveErasures(
  erasures: Erasures = NO_ERASURES,
  { type, data }: ErasureEvent,
  at: number,
): Erasures {
  const { orders, holds } = erasures;
  switch (type) {
    case ERASURE_ORDERED: {
      const { act, reason, submissions = [], consents = [] } = data;
      return orders.some((order) => order.act === act)
        ? erasures
        : { holds, orders: [...orders, { act, at, reason, submissions, consents }] };
    }
    case HOLD_PLACED: {
      const { act, reason, submissions = [], consents = [] } = data;
      return holds.some((hold) => hold.act === act)
        ? erasures
        : { orders, holds: [...holds, { act, at, reason, submissions, consents }] };
    }
    case HOLD_LIFTED:
      return {
        orders,
        holds: holds.map((hold) =>
          hold.act === data.hold && hold.liftedAt === undefined ? { ...hold, liftedAt: at } : hold,
        ),
      };
    default:
      return type satisfies never;
  }
}

/** A stored sample, as orders and holds see it. */
export interface ErasableSample {
  readonly submission: string;
  readonly consentId: string;
  /** Append time T of the intake record, milliseconds. */
  readonly at: number;
}

/** An order as one of the names in it sees it. */
interface Reach {
  readonly act: string;
  /** The order's place among all orders. */
  readonly place: number;
  /** Milliseconds. */
  readonly before: number;
}

/** Looks up what orders and holds say about a sample. */
export class ErasureIndex {
  readonly #submissions = new Map<string, Reach>();
  readonly #consents = new Map<string, Reach[]>();
  // Apart, because a consent id may look like a submission id.
  readonly #heldSubmissions = new Map<string, string>();
  readonly #heldConsents = new Map<string, string>();

  constructor({ orders, holds }: Erasures = NO_ERASURES) {
    for (const [place, { act, submissions, consents }] of orders.entries()) {
      for (const submission of submissions)
        if (!this.#submissions.has(submission))
          this.#submissions.set(submission, { act, place, before: Infinity });
      for (const { consentId, before } of consents) {
        const known = this.#consents.get(consentId) ?? [];
        known.push({ act, place, before: Date.parse(before) });
        this.#consents.set(consentId, known);
      }
    }
    for (const { act, submissions, consents, liftedAt } of holds) {
      if (liftedAt !== undefined) continue;
      for (const submission of submissions) this.#heldSubmissions.set(submission, act);
      for (const consentId of consents) this.#heldConsents.set(consentId, act);
    }
  }

  /** The `act` of the first order about the sample; `undefined`: there is none. */
  orderOf({ submission, consentId, at }: ErasableSample): string | undefined {
    const named = this.#submissions.get(submission);
    const given = this.#consents.get(consentId)?.find(({ before }) => at < before);
    if (named === undefined || given === undefined) return (named ?? given)?.act;
    return (named.place < given.place ? named : given).act;
  }

  /** The `act` of an open hold on the sample; `undefined`: there is none. */
  holdOf({ submission, consentId }: Omit<ErasableSample, 'at'>): string | undefined {
    return this.#heldSubmissions.get(submission) ?? this.#heldConsents.get(consentId);
  }
}
