import {
  INITIAL_CONTROL,
  NO_ERASURES,
  erasable,
  followControl,
  formatPosition,
  isAbout,
} from '@residency/contracts';
import type { AuditEvent, ErasableSample, ErasureOrder, LogRecord } from '@residency/contracts';
import { policyInForce } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { AdjudicationDifference } from './difference.ts';

interface Refused {
  readonly position: string;
  readonly at: number;
  readonly submission: string;
  readonly region: string;
  readonly order: string;
}

export interface JudgedErasures {
  /** Those whose order was compared with the erased sample. */
  readonly compared: number;
  readonly differences: readonly AdjudicationDifference[];
}

/**
 * Compares each record that was refused as `ERASED` with the policy in force, and with the order
 * that it names. The record's own country is not in its event. First `add` every event that is to be
 * judged, then `see` every event of the log. Memory: some hundred bytes for each of them, and for
 * each stored event of its submission.
 */
export class ErasureRefusals {
  readonly #refused: Refused[] = [];
  readonly #stored = new Map<string, ErasableSample[]>();

  /** Whether there is nothing to compare. */
  get none(): boolean {
    return this.#refused.length === 0;
  }

  add({ position, at, outcome, data }: AuditEvent): void {
    if (outcome !== 'refused' || data.erasure === undefined) return;
    const { submission, erasure } = data;
    this.#refused.push({ position: formatPosition(position), at, submission, ...erasure });
    this.#stored.set(submission, []);
  }

  see(event: AuditEvent): void {
    if (event.outcome === 'stored') this.#stored.get(event.data.submission)?.push(erasable(event));
  }

  /**
   * `orders`: those of the control log; absent: it is not known. `whole`: every event of the audit
   * log was seen, so an erased sample that nobody saw was never stored.
   */
  judge(
    policies: readonly PolicyPublished[],
    orders: readonly ErasureOrder[] | undefined,
    whole: boolean,
  ): JudgedErasures {
    let compared = 0;
    const differences: AdjudicationDifference[] = [];
    for (const one of this.#refused) {
      const expected =
        regionExpected(one, policies) ??
        (orders === undefined ? undefined : this.#orderExpected(one, orders, whole));
      if (expected === 'not known') continue;
      if (orders !== undefined) compared += 1;
      if (expected !== undefined)
        differences.push({
          code: 'ERASURE_DIFFERS',
          position: one.position,
          found: `erased in ${one.region} by ${one.order}`,
          expected,
        });
    }
    return { compared, differences };
  }

  #orderExpected(
    { submission, region, order: act }: Refused,
    orders: readonly ErasureOrder[],
    whole: boolean,
  ): string | undefined {
    const order = orders.find((one) => one.act === act);
    if (order === undefined) return 'an order of the control log';
    const stored = (this.#stored.get(submission) ?? []).filter((one) => one.region === region);
    if (stored.length === 0 && whole) return 'a sample that was stored there';
    // Also of a sample whose `stored` event is not among those seen.
    const isNamed = (order.region ?? region) === region && order.submissions.includes(submission);
    if (isNamed || stored.some((sample) => isAbout(order, sample))) return undefined;
    return stored.length === 0
      ? 'not known'
      : 'an order about the submission, or about the consent of the stored sample';
  }
}

/** `undefined`: the policy in force names the region. */
function regionExpected(
  { at, region }: Refused,
  policies: readonly PolicyPublished[],
): string | undefined {
  const policy = policyInForce(policies, at);
  if (policy === undefined) return 'no decision: no valid version was in force';
  return policy.document.regions.some(({ id }) => id === region)
    ? undefined
    : `a region of ${policy.document.id}/${policy.document.version}`;
}

/** The orders in the control log. */
export async function erasureOrders(
  records: AsyncIterable<LogRecord>,
): Promise<readonly ErasureOrder[]> {
  let state = INITIAL_CONTROL;
  for await (const record of records) state = followControl(state, record);
  return (state.erasures ?? NO_ERASURES).orders;
}
