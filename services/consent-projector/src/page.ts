import { remedyOf } from '@residency/coded-error';
import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import { readConsentRecord } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { ProjectedPosition } from './ports/consent-projection.ts';

/** A consent event of the log. */
interface Change {
  readonly offset: bigint;
  /** Append time, milliseconds. */
  readonly at: number;
  readonly event: ConsentEvent;
}

/** The changes of a range of records, with the position after it. */
export interface Page {
  readonly to: Pick<ProjectedPosition, 'topicId' | 'next' | 'watermark' | 'halted'>;
  readonly changes: readonly Change[];
  /**
   * Records that hold no consent event. The publisher of consents controls them, and one must not
   * stop the next.
   */
  readonly skipped: readonly { readonly offset: bigint; readonly error: unknown }[];
  /** The page's last record, if append time went back by more than the margin there. */
  readonly wentBack?: { readonly offset: bigint; readonly byMs: number };
}

/**
 * Folds `records` of the topic from `position` on; `undefined` if none of them is new.
 *
 * Append time may go back by `marginMs`: readers wait that much longer. If it goes back by more,
 * the watermark has promised too much. Then the page ends and halts the view. The view stays halted
 * until append time reaches the watermark again, because only then is the promise true.
 */
export function readPage(
  records: readonly LogRecord[],
  position: ProjectedPosition | undefined,
  marginMs: number,
  topicId?: string,
): Page | undefined {
  const of = defined({ topicId });
  const changes: Change[] = [];
  const skipped: { offset: bigint; error: unknown }[] = [];
  let next = position?.next ?? 0n;
  let watermark = position?.watermark;
  let halted = position?.halted ?? false;
  for (const record of records) {
    const { offset, at } = record;
    if (offset < next) continue;
    try {
      const event = readConsentRecord(record);
      if (event !== undefined) changes.push({ offset, at, event });
    } catch (error) {
      if (remedyOf(error) !== 'park') throw error;
      skipped.push({ offset, error });
    }
    next = offset + 1n;
    watermark = Math.max(watermark ?? at, at);
    const wasHalted = halted;
    halted = at + marginMs < watermark;
    if (halted && !wasHalted)
      return {
        to: { ...of, next, watermark, halted },
        changes,
        skipped,
        wentBack: { offset, byMs: watermark - at },
      };
  }
  if (watermark === undefined || next === position?.next) return undefined;
  return { to: { ...of, next, watermark, halted }, changes, skipped };
}

/** The complete histories after `changes`. Empty histories are left out. */
export function fold(
  changes: readonly Omit<Change, 'offset'>[],
  known: ReadonlyMap<string, ConsentHistory>,
): ReadonlyMap<string, ConsentHistory> {
  const histories = new Map<string, ConsentHistory>();
  for (const { event, at } of changes) {
    const before = histories.get(event.consentId) ?? known.get(event.consentId) ?? [];
    histories.set(event.consentId, evolve(before, event, at));
  }
  return new Map([...histories].filter(([, { length }]) => length > 0));
}
