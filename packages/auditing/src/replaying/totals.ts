import { OUTCOMES } from '@residency/contracts';
import type { AuditEvent, Outcome } from '@residency/contracts';
import { Tallies } from './tally.ts';
import type { Tally } from './tally.ts';

export type RegionRow = Tally & { readonly region: string | null };
export type CountryRow = Tally & { readonly country: string | null };
export type PolicyRow = Tally & { readonly policy: string | null };
export type OutcomeRow = Pick<Tally, 'events' | 'storedBytes'> & {
  readonly outcome: Outcome;
  readonly reason: string | null;
};

/**
 * All views except the one by consent, which has no bound. `null`: the event has no value. A policy
 * is `<id>/<version>/<digest>`.
 */
export interface Totals {
  readonly byRegion: readonly RegionRow[];
  readonly byCountry: readonly CountryRow[];
  readonly byPolicy: readonly PolicyRow[];
  readonly byOutcome: readonly OutcomeRow[];
}

/** An honest log has a few regions and policies, and 250 countries. */
const MOST_ROWS = 10_000;
const NONE = '';

export class TotalsDraft {
  readonly #regions = new Tallies(MOST_ROWS);
  readonly #countries = new Tallies(MOST_ROWS);
  readonly #policies = new Tallies(MOST_ROWS);
  readonly #reasons = {
    stored: new Tallies(1),
    duplicate: new Tallies(1),
    refused: new Tallies(MOST_ROWS),
    quarantined: new Tallies(MOST_ROWS),
  };

  add(event: AuditEvent): void {
    const { decision, country } = decidedOf(event);
    this.#regions.add(decision?.region ?? NONE, event);
    this.#countries.add(country ?? NONE, event);
    this.#policies.add(
      decision === undefined
        ? NONE
        : `${decision.policy.id}/${decision.policy.version}/${decision.policy.digest}`,
      event,
    );
    this.#reasons[event.outcome].add('reason' in event.data ? event.data.reason : NONE, event);
  }

  finish(): Totals {
    return {
      byRegion: this.#regions.sorted().map(([name, tally]) => ({ region: orNull(name), ...tally })),
      byCountry: this.#countries
        .sorted()
        .map(([name, tally]) => ({ country: orNull(name), ...tally })),
      byPolicy: this.#policies
        .sorted()
        .map(([name, tally]) => ({ policy: orNull(name), ...tally })),
      byOutcome: OUTCOMES.flatMap((outcome) =>
        this.#reasons[outcome].sorted().map(([reason, { events, storedBytes }]) => ({
          outcome,
          reason: orNull(reason),
          events,
          storedBytes,
        })),
      ),
    };
  }
}

function decidedOf({ data }: AuditEvent): {
  readonly decision?:
    | {
        readonly region: string;
        readonly policy: { readonly id: string; readonly version: number; readonly digest: string };
      }
    | undefined;
  readonly country?: string | undefined;
} {
  return 'country' in data || 'decision' in data ? data : {};
}

function orNull(name: string): string | null {
  return name === NONE ? null : name;
}
