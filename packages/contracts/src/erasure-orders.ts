import { defined } from '@residency/defined';
import type { StoredEvent } from './audit-event.ts';
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
  /** Only samples that are stored in this region; absent: in any. */
  readonly region?: string;
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

/** What an event adds. */
type Effect =
  | { readonly order: ErasureOrder }
  | { readonly hold: Hold }
  | { readonly lifted: string; readonly at: number };

/** Where the events of one fold are kept. Only added to, so that an earlier state keeps its part. */
interface Kept {
  readonly effects: Effect[];
  /** The place of the first effect of a name. */
  readonly places: Map<string, number>;
}

/** What a state was folded from: so many of the effects kept. Others are read from its arrays. */
const FOLDS = new WeakMap<Erasures, { readonly kept: Kept; readonly length: number }>();

/** `at`: the event's append time, milliseconds. Takes the same time however much was said before. */
export function evolveErasures(
  erasures: Erasures = NO_ERASURES,
  event: ErasureEvent,
  at: number,
): Erasures {
  const effect = effectOf(event, at);
  const { kept, length } = FOLDS.get(erasures) ?? foldOf(effectsOf(erasures));
  const isKnown = (name: string): boolean => (kept.places.get(name) ?? length) < length;
  if (isKnown(nameOf(effect))) return erasures;
  if ('lifted' in effect && !isKnown(holdName(effect.lifted))) return erasures;
  // Another event came to this state before: that one keeps its own.
  const own = kept.effects.length === length ? kept : foldOf(kept.effects.slice(0, length)).kept;
  add(own, effect);
  return stateOf(own);
}

function effectOf({ type, data }: ErasureEvent, at: number): Effect {
  switch (type) {
    case ERASURE_ORDERED: {
      const { act, reason, region, submissions = [], consents = [] } = data;
      return { order: { act, at, reason, ...defined({ region }), submissions, consents } };
    }
    case HOLD_PLACED: {
      const { act, reason, submissions = [], consents = [] } = data;
      return { hold: { act, at, reason, submissions, consents } };
    }
    case HOLD_LIFTED:
      return { lifted: data.hold, at };
    default:
      return type satisfies never;
  }
}

/** Of effects of one name the first counts. */
function nameOf(effect: Effect): string {
  if ('order' in effect) return `order ${effect.order.act}`;
  return 'hold' in effect ? holdName(effect.hold.act) : `lifted ${effect.lifted}`;
}

function holdName(act: string): string {
  return `hold ${act}`;
}

function effectsOf({ orders, holds }: Erasures): readonly Effect[] {
  return [
    ...orders.map((order) => ({ order })),
    ...holds.map((hold) => ({ hold })),
    ...holds.flatMap(({ act, liftedAt }) =>
      liftedAt === undefined ? [] : [{ lifted: act, at: liftedAt }],
    ),
  ];
}

function foldOf(effects: readonly Effect[]): { readonly kept: Kept; readonly length: number } {
  const kept: Kept = { effects: [], places: new Map() };
  for (const effect of effects) add(kept, effect);
  return { kept, length: effects.length };
}

function add({ effects, places }: Kept, effect: Effect): void {
  const name = nameOf(effect);
  if (!places.has(name)) places.set(name, effects.length);
  effects.push(effect);
}

/** Its arrays are made once somebody reads them: a fold reads none. */
function stateOf(kept: Kept): Erasures {
  const length = kept.effects.length;
  let read: Erasures | undefined;
  const state: Erasures = {
    get orders() {
      read ??= arraysOf(kept, length);
      return read.orders;
    },
    get holds() {
      read ??= arraysOf(kept, length);
      return read.holds;
    },
  };
  FOLDS.set(state, { kept, length });
  return state;
}

function arraysOf({ effects }: Kept, length: number): Erasures {
  const orders: ErasureOrder[] = [];
  const holds = new Map<string, Hold>();
  for (const effect of effects.slice(0, length)) {
    if ('order' in effect) orders.push(effect.order);
    else if ('hold' in effect) holds.set(effect.hold.act, effect.hold);
    else {
      const hold = holds.get(effect.lifted);
      if (hold !== undefined) holds.set(effect.lifted, { ...hold, liftedAt: effect.at });
    }
  }
  return { orders, holds: [...holds.values()] };
}

/** A stored sample, as orders and holds see it. */
export interface ErasableSample {
  /** In which it is stored. */
  readonly region: string;
  readonly submission: string;
  readonly consentId: string;
  /** Append time T of the intake record, milliseconds. */
  readonly at: number;
}

/** A `stored` event, as orders and holds see it. */
export function erasable({ at, data }: StoredEvent): ErasableSample {
  const { submission, consentId, decision } = data;
  return { region: decision.region, submission, consentId, at };
}

/** Whether the order names the sample. */
export function isAbout(
  { region, submissions, consents }: ErasureOrder,
  sample: ErasableSample,
): boolean {
  const { submission, consentId, at } = sample;
  return (
    (region === undefined || region === sample.region) &&
    (submissions.includes(submission) ||
      consents.some((one) => one.consentId === consentId && at < Date.parse(one.before)))
  );
}

/** An order as one of the names in it sees it. */
interface Reach {
  readonly act: string;
  /** The order's place among all orders. */
  readonly place: number;
  readonly region: string | undefined;
  /** Milliseconds. */
  readonly before: number;
}

/** Looks up what orders and holds say about a sample. */
export class ErasureIndex {
  readonly #submissions = new Map<string, Reach[]>();
  readonly #consents = new Map<string, Reach[]>();
  // Apart, because a consent id may look like a submission id.
  readonly #heldSubmissions = new Map<string, string>();
  readonly #heldConsents = new Map<string, string>();

  constructor({ orders, holds }: Erasures = NO_ERASURES) {
    for (const [place, { act, region, submissions, consents }] of orders.entries()) {
      for (const submission of submissions)
        push(this.#submissions, submission, { act, place, region, before: Infinity });
      for (const { consentId, before } of consents)
        push(this.#consents, consentId, { act, place, region, before: Date.parse(before) });
    }
    for (const { act, submissions, consents, liftedAt } of holds) {
      if (liftedAt !== undefined) continue;
      for (const submission of submissions) this.#heldSubmissions.set(submission, act);
      for (const consentId of consents) this.#heldConsents.set(consentId, act);
    }
  }

  /** The `act` of the first order about the sample; `undefined`: there is none. */
  orderOf(sample: ErasableSample): string | undefined {
    const reaches = (reach: Reach): boolean => isWithin(reach, sample);
    const named = this.#submissions.get(sample.submission)?.find(reaches);
    const given = this.#consents.get(sample.consentId)?.find(reaches);
    if (named === undefined || given === undefined) return (named ?? given)?.act;
    return (named.place < given.place ? named : given).act;
  }

  /** The `act` of each order about the sample. */
  ordersOf(sample: ErasableSample): readonly string[] {
    const { submission, consentId } = sample;
    return [this.#submissions.get(submission), this.#consents.get(consentId)]
      .flatMap((reaches = []) => reaches)
      .filter((reach) => isWithin(reach, sample))
      .map(({ act }) => act);
  }

  /** The `act` of an open hold on the sample; `undefined`: there is none. */
  holdOf({
    submission,
    consentId,
  }: Pick<ErasableSample, 'consentId' | 'submission'>): string | undefined {
    return this.#heldSubmissions.get(submission) ?? this.#heldConsents.get(consentId);
  }
}

function isWithin(reach: Reach, { region, at }: ErasableSample): boolean {
  return at < reach.before && (reach.region === undefined || reach.region === region);
}

function push(reaches: Map<string, Reach[]>, name: string, reach: Reach): void {
  const known = reaches.get(name);
  if (known === undefined) reaches.set(name, [reach]);
  else known.push(reach);
}
