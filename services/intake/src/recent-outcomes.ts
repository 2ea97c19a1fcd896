import { hasCode } from '@residency/coded-error';
import { decodeAuditEvent } from '@residency/contracts';
import type { SubmissionState, SubmissionStatus } from './ports/submission-status.ts';

export interface RecentOutcomesLimits {
  /** The most submissions that are remembered. The oldest are forgotten first. */
  readonly submissions: number;
  /** The most bytes of their events. */
  readonly bytes: number;
  /**
   * The most audit events kept for one submission; its publisher may send it any number of times.
   */
  readonly eventsEach: number;
}

const LIMITS: RecentOutcomesLimits = {
  submissions: 200_000,
  bytes: 128 * 1024 * 1024,
  eventsEach: 16,
};

/**
 * The outcomes of the latest submissions. A Kafka topic has no index, so older ones must be looked
 * up in the audit log (`residency status`). Its input is this intake's appends and the events of
 * the audit log.
 */
export class RecentOutcomes implements SubmissionStatus {
  readonly #limits: RecentOutcomesLimits;
  /** In the order of their first appearance; empty: pending. */
  readonly #events = new Map<string, Buffer[]>();
  #bytes = 0;

  constructor(limits: Partial<RecentOutcomesLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  appended(submission: string): void {
    this.#mention(submission);
  }

  /** `event`: its bytes as written. */
  settled(submission: string, event: Buffer): void {
    const events = this.#mention(submission);
    events.push(event);
    this.#bytes += event.length;
    if (events.length > this.#limits.eventsEach) this.#bytes -= events.shift()?.length ?? 0;
    this.#forgetOldest();
  }

  /**
   * Takes a record's value from the audit log. A value that is not an audit event was not written
   * by a router. It is ignored here, and the reconciler reports it.
   */
  observe(value: Buffer): void {
    try {
      const { submission } = decodeAuditEvent(value).data;
      if (submission !== undefined) this.settled(submission, value);
    } catch (error) {
      if (!hasCode(error, 'INVALID_AUDIT_EVENT')) throw error;
    }
  }

  find(submission: string): Promise<SubmissionState> {
    const events = this.#events.get(submission);
    if (events === undefined) return Promise.resolve({ state: 'unknown' });
    return Promise.resolve(
      events.length === 0 ? { state: 'pending' } : { state: 'settled', events: [...events] },
    );
  }

  #mention(submission: string): Buffer[] {
    const known = this.#events.get(submission);
    if (known !== undefined) return known;
    const events: Buffer[] = [];
    this.#events.set(submission, events);
    this.#forgetOldest();
    return events;
  }

  #forgetOldest(): void {
    const { submissions, bytes } = this.#limits;
    for (const [submission, events] of this.#events) {
      if (this.#events.size <= submissions && this.#bytes <= bytes) return;
      this.#events.delete(submission);
      for (const event of events) this.#bytes -= event.length;
    }
  }
}
