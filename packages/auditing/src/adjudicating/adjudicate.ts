import { auditEventIn, formatPosition } from '@residency/contracts';
import type { AuditEvent, LogRecord, QuarantineReason } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import { isWithin } from '../audit-record.ts';
import type { AuditRecord, Period } from '../audit-record.ts';
import { Capped } from '../capped.ts';
import { auditPlace } from '../audit-place.ts';
import { partOf } from '../part-of.ts';
import { SCRATCH_PARTS } from '../ports/scratch.ts';
import type { Scratch } from '../ports/scratch.ts';
import { claimsOf, decodeConsentClaim, encodeConsentClaim } from './claim.ts';
import type { DecisionClaim } from './claim.ts';
import { ConflictOwners } from './conflict-owners.ts';
import { historiesOf, putDownConsents } from './consent-histories.ts';
import type { ConsentRecord } from './consent-histories.ts';
import { decideAgain } from './decide-again.ts';
import type { AdjudicationCode, AdjudicationDifference } from './difference.ts';
import { ErasureRefusals, erasureOrders } from './erasures.ts';
import { gateAgain } from './gate-again.ts';

export interface AdjudicateDeps {
  /**
   * The records of the audit log, in order within each partition. Read twice if there are conflicts
   * or erased identities.
   */
  records(): AsyncIterable<AuditRecord>;
  /** Every published policy version, in log order. */
  policies(): Promise<readonly PolicyPublished[]>;
  /** The consent log from its start, in order. */
  consents(): AsyncIterable<ConsentRecord>;
  /** The control log from its start. Absent: orders to erase are not known, and are believed. */
  control?(): AsyncIterable<LogRecord>;
  /** Two empty scratch stores. */
  readonly scratch: { readonly claims: Scratch; readonly consents: Scratch };
}

export interface AdjudicateOptions extends Period {
  /** The greatest number of listed differences. All are counted. */
  readonly maxListed?: number;
  readonly onProgress?: (records: number) => void;
}

export interface Adjudication {
  /** Events in the period. */
  readonly events: number;
  /** The events among them whose consent, and whose region, was decided again. */
  readonly consentsDecided: number;
  readonly regionsDecided: number;
  /**
   * Identity conflicts among them that were compared with the event of the owner that they name. The
   * others' owner has no event yet, or one before the period.
   */
  readonly conflictsCompared: number;
  /**
   * Records refused as `ERASED` among them, and those of which the order was compared. The others'
   * control log was not read, or the erased sample's event is before the period.
   */
  readonly erasures: { readonly total: number; readonly compared: number };
  /**
   * Events quarantined for reasons that only the intake record shows. Policies and consents do not
   * decide them.
   */
  readonly notRedecidable: {
    readonly total: number;
    readonly byReason: Readonly<Partial<Record<QuarantineReason, number>>>;
  };
  /** Records of the consent log that hold no consent event. Every view skips them. */
  readonly consentRecordsSkipped: number;
  /** Listed in the order of positions. */
  readonly differences: {
    readonly total: number;
    readonly list: readonly AdjudicationDifference[];
    readonly byCode: Readonly<Partial<Record<AdjudicationCode, number>>>;
  };
}

/**
 * Decides every recorded submission again: its region under the policy in force at its T, and its
 * consent as of T. Events are read first: a router decides only after its views have passed T, so
 * the policies and consents behind an event are in their logs by then. Memory: one part of the
 * consents at a time, the conflicts, and the list.
 */
export async function adjudicate(
  deps: AdjudicateDeps,
  options: AdjudicateOptions = {},
): Promise<Adjudication> {
  const run = new Run(deps, options);
  await run.readEvents();
  await run.settleSuspects();
  await run.compareOthers();
  const consentRecordsSkipped = await putDownConsents(deps.consents(), deps.scratch.consents);
  for (let part = 0; part < SCRATCH_PARTS; part += 1)
    await run.gatePart(deps.scratch.consents, part);
  return run.finish(consentRecordsSkipped);
}

class Run {
  readonly #deps: AdjudicateDeps;
  readonly #options: AdjudicateOptions;
  readonly #differences: Capped<AdjudicationDifference>;
  readonly #byCode: Partial<Record<AdjudicationCode, number>> = {};
  readonly #byReason: Partial<Record<QuarantineReason, number>> = {};
  /**
   * Events that differ under the versions read so far. A version published since may explain them.
   */
  #suspects: DecisionClaim[] = [];
  #policies: readonly PolicyPublished[] = [];
  readonly #owners = new ConflictOwners();
  readonly #refusals = new ErasureRefusals();
  #events = 0;
  #conflicts = 0;
  #erasures = { total: 0, compared: 0 };
  #consents = 0;
  #regions = 0;

  constructor(deps: AdjudicateDeps, options: AdjudicateOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#differences = new Capped(options.maxListed ?? 1_000);
  }

  async readEvents(): Promise<void> {
    this.#policies = await this.#deps.policies();
    let read = 0;
    for await (const record of this.#deps.records()) {
      const event = auditEventIn(record.value);
      if (event === undefined)
        this.#add({
          code: 'EVENT_INVALID',
          position: auditPlace(record),
          found: 'a record that is no audit event',
          expected: 'an audit event',
        });
      else if (isWithin(event.at, this.#options)) {
        const wait = this.#take(event);
        if (wait !== undefined) await wait;
      }
      if (this.#suspects.length >= MOST_SUSPECTS) await this.settleSuspects();
      read += 1;
      if (read % 1_024 === 0) this.#options.onProgress?.(read);
    }
  }

  /**
   * The policies and consents behind an event were in their logs before it, so a difference that
   * remains now is real.
   */
  async settleSuspects(): Promise<void> {
    this.#policies = await this.#deps.policies();
    for (const claim of this.#suspects) this.#addIf(decideAgain(claim, this.#policies));
    this.#suspects = [];
  }

  /** What depends on other events, and on orders. */
  async compareOthers(): Promise<void> {
    if (this.#owners.none && this.#refusals.none) return;
    for await (const record of this.#deps.records()) {
      const event = auditEventIn(record.value);
      if (event === undefined) continue;
      this.#owners.see(event);
      this.#refusals.see(event);
    }
    const owners = this.#owners.judge();
    this.#conflicts = owners.compared;
    const control = this.#refusals.none ? undefined : this.#deps.control?.();
    const orders = control && (await erasureOrders(control));
    const whole = this.#options.from === undefined;
    const erasures = this.#refusals.judge(this.#policies, orders, whole);
    this.#erasures = { ...this.#erasures, compared: erasures.compared };
    for (const difference of [...owners.differences, ...erasures.differences])
      this.#add(difference);
  }

  async gatePart(consents: Scratch, part: number): Promise<void> {
    const histories = await historiesOf(consents, part);
    for await (const line of this.#deps.scratch.claims.read(part)) {
      const claim = decodeConsentClaim(line);
      this.#addIf(gateAgain(claim, histories.get(claim.consentId) ?? []));
    }
  }

  finish(consentRecordsSkipped: number): Adjudication {
    const { total, list } = this.#differences;
    return {
      events: this.#events,
      consentsDecided: this.#consents,
      regionsDecided: this.#regions,
      conflictsCompared: this.#conflicts,
      erasures: this.#erasures,
      consentRecordsSkipped,
      notRedecidable: {
        total: Object.values(this.#byReason).reduce((sum, count) => sum + count, 0),
        byReason: this.#byReason,
      },
      differences: {
        total,
        list: [...list].sort((a, b) => comparePlaces(a.position, b.position)),
        byCode: this.#byCode,
      },
    };
  }

  #take(event: AuditEvent): Promise<void> | undefined {
    const { consent, decision, redecidable, incomplete } = claimsOf(event);
    this.#events += 1;
    this.#owners.add(event);
    this.#refusals.add(event);
    if (event.outcome === 'refused' && event.data.reason === 'ERASED') this.#erasures.total += 1;
    if (!redecidable && event.outcome === 'quarantined')
      this.#byReason[event.data.reason] = (this.#byReason[event.data.reason] ?? 0) + 1;
    if (incomplete)
      this.#add({
        code: 'EVENT_INCOMPLETE',
        position: formatPosition(event.position),
        found: 'a reason without what was decided before it',
        expected: "the terms of the consent and, behind the country's check, country and decision",
      });
    if (decision !== undefined) this.#decide(decision);
    if (consent === undefined) return undefined;
    this.#consents += 1;
    return this.#deps.scratch.claims.write(partOf(consent.consentId), encodeConsentClaim(consent));
  }

  #decide(claim: DecisionClaim): void {
    this.#regions += 1;
    if (decideAgain(claim, this.#policies) !== undefined) this.#suspects.push(claim);
  }

  #addIf(difference: AdjudicationDifference | undefined): void {
    if (difference !== undefined) this.#add(difference);
  }

  #add(difference: AdjudicationDifference): void {
    this.#differences.add(difference);
    this.#byCode[difference.code] = (this.#byCode[difference.code] ?? 0) + 1;
  }
}

/** The most suspects that are held before the policy log is read again. */
const MOST_SUSPECTS = 10_000;

/** By partition, then by offset as a number. */
function comparePlaces(a: string, b: string): number {
  const [[inA, atA], [inB, atB]] = [split(a), split(b)];
  if (inA !== inB) return inA < inB ? -1 : 1;
  return atA < atB ? -1 : atA > atB ? 1 : 0;
}

function split(place: string): [string, bigint] {
  const at = place.lastIndexOf('/');
  return [place.slice(0, at), BigInt(place.slice(at + 1))];
}
