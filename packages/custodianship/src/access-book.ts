import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  SAMPLE_ACCESSED,
} from '@residency/contracts';
import type { AccessEvent, AccessRefusal, AccessedData } from '@residency/contracts';
import { Usage } from './usage.ts';

/** What somebody asked for, as the events say it. */
export type AccessTerms = Pick<
  AccessedData,
  'access' | 'form' | 'of' | 'principal' | 'purpose' | 'reference' | 'submission'
> & {
  /** Nothing is given out at this instant or later, milliseconds. */
  readonly until: number;
};

/** An access, from the events about it. */
export type Access = {
  /** Time of its first event, milliseconds. */
  readonly at: number;
} & (
  | {
      readonly state: 'requested';
      readonly terms: AccessTerms;
      readonly approvals: number;
      readonly approvedBy: readonly string[];
    }
  | {
      readonly state: 'accessed';
      readonly terms: AccessTerms;
      /** The value of its event: the leaf that a published ledger must have. */
      readonly value: Buffer;
      readonly bytes: number;
      readonly approvedBy: readonly string[];
    }
  | { readonly state: 'refused'; readonly principal: string; readonly code: AccessRefusal }
);

type Requested = Extract<Access, { readonly state: 'requested' }>;
type Of<Type extends AccessEvent['type']> = Extract<AccessEvent, { readonly type: Type }>;

/** What a principal got for a purpose. */
export interface AccessUse {
  readonly count: number;
  /** Of the samples in the clear. */
  readonly bytes: number;
}

/**
 * Longer than an access id is accepted, than a limit counts, and than an access lives. A younger id
 * is known here, an older one is refused by its time.
 */
export const ACCESS_BOOK_MS = 48 * 60 * 60 * 1_000;

/** The accesses of the last 48 to 96 hours, from a region's custody log. */
export class AccessBook {
  readonly #accesses = new Map<string, Access>();
  /** Approvals that were refused: `<access> <principal>`. */
  readonly #refusedApprovals = new Map<
    string,
    { readonly at: number; readonly code: AccessRefusal }
  >();
  /** By submission. */
  readonly #until = new Map<string, number>();
  /** By principal and purpose. */
  readonly #used = new Map<string, Usage>();
  /** By principal. */
  readonly #refused = new Map<string, Usage>();
  /** The events that count, oldest first. */
  #events: {
    readonly at: number;
    readonly access: string;
    readonly name: string;
    readonly value: Buffer;
  }[] = [];

  get(access: string): Access | undefined {
    return this.#accesses.get(access);
  }

  /** Until when the sample may be given out by an access that is recorded, milliseconds. */
  lockedUntil(submission: string): number | undefined {
    return this.#until.get(submission);
  }

  refusedApproval(access: string, principal: string): AccessRefusal | undefined {
    return this.#refusedApprovals.get(`${access} ${principal}`)?.code;
  }

  /** What was recorded as accessed at `since` or later. */
  usedSince(
    since: number,
    { principal, purpose }: Pick<AccessTerms, 'principal' | 'purpose'>,
  ): AccessUse {
    return this.#used.get(`${principal} ${purpose}`)?.since(since) ?? { count: 0, bytes: 0 };
  }

  /** How many events refuse something to a principal, at `since` or later. */
  refusalsSince(since: number, principal: string): number {
    return this.#refused.get(principal)?.since(since).count ?? 0;
  }

  /** The values of the events that count, for a register. */
  save(): readonly Buffer[] {
    return this.#events.map(({ value }) => value);
  }

  /** An event that cannot follow changes nothing. */
  follow(event: AccessEvent, value: Buffer): void {
    if (!this.#changes(event, value)) return;
    const { at } = event;
    const { access, principal } = event.data;
    this.#events.push({ at, access, name: `${access} ${principal}`, value });
    if (at - (this.#events[0]?.at ?? at) > 2 * ACCESS_BOOK_MS) this.#forget(at - ACCESS_BOOK_MS);
  }

  #changes(event: AccessEvent, value: Buffer): boolean {
    const known = this.#accesses.get(event.data.access);
    switch (event.type) {
      case ACCESS_REQUESTED:
        return known === undefined && this.#requested(event);
      case ACCESS_APPROVED:
        return known?.state === 'requested' && this.#approved(event, known);
      case SAMPLE_ACCESSED:
        return (known === undefined || known.state === 'requested') && this.#accessed(event, value);
      case ACCESS_REFUSED:
        return this.#refuses(event, known);
      default:
        return event satisfies never;
    }
  }

  #requested({ at, data }: Of<typeof ACCESS_REQUESTED>): true {
    const { access, approvals } = data;
    this.#accesses.set(access, {
      at,
      state: 'requested',
      terms: termsOf(data),
      approvals,
      approvedBy: [],
    });
    return true;
  }

  #approved(
    { data: { access, principal } }: Of<typeof ACCESS_APPROVED>,
    known: Requested,
  ): boolean {
    if (known.approvedBy.includes(principal)) return false;
    this.#accesses.set(access, { ...known, approvedBy: [...known.approvedBy, principal] });
    return true;
  }

  #accessed({ at, data }: Of<typeof SAMPLE_ACCESSED>, value: Buffer): true {
    const { access, bytes, approvedBy = [] } = data;
    const terms = termsOf(data);
    this.#accesses.set(access, { at, state: 'accessed', terms, value, bytes, approvedBy });
    const { submission, until } = terms;
    this.#until.set(submission, Math.max(until, this.#until.get(submission) ?? until));
    usageOf(this.#used, `${terms.principal} ${terms.purpose}`).add(at, bytes);
    return true;
  }

  #refuses({ at, data }: Of<typeof ACCESS_REFUSED>, known: Access | undefined): boolean {
    const { access, principal, code } = data;
    if (APPROVAL_REFUSALS.has(code))
      this.#refusedApprovals.set(`${access} ${principal}`, { at, code });
    else if (known?.state === 'accessed') return false;
    else this.#accesses.set(access, { at, state: 'refused', principal, code });
    usageOf(this.#refused, principal).add(at, 0);
    return true;
  }

  /** Runs once in 48 hours of events, so that an event costs little. */
  #forget(before: number): void {
    for (const { access, name } of this.#events.filter(({ at }) => at < before)) {
      if ((this.#accesses.get(access)?.at ?? before) < before) this.#accesses.delete(access);
      if ((this.#refusedApprovals.get(name)?.at ?? before) < before)
        this.#refusedApprovals.delete(name);
    }
    this.#events = this.#events.filter(({ at }) => at >= before);
    for (const [submission, until] of this.#until)
      if (until < before) this.#until.delete(submission);
    for (const usages of [this.#used, this.#refused])
      for (const [name, usage] of usages) if (!usage.forget(before)) usages.delete(name);
  }
}

/** These refuse an approval; the access itself may still be approved by others. */
const APPROVAL_REFUSALS: ReadonlySet<AccessRefusal> = new Set([
  'APPROVER_NOT_ALLOWED',
  'APPROVAL_BY_ASKER',
  'APPROVAL_EXPIRED',
]);

function usageOf(usages: Map<string, Usage>, name: string): Usage {
  const usage = usages.get(name) ?? new Usage();
  usages.set(name, usage);
  return usage;
}

function termsOf({
  access,
  form,
  of,
  principal,
  purpose,
  reference,
  submission,
  until,
}: Omit<AccessTerms, 'until'> & { readonly until: string }): AccessTerms {
  return {
    access,
    form,
    of,
    principal,
    purpose,
    reference,
    submission,
    until: Date.parse(until),
  };
}
