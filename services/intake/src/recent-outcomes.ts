import type { SubmissionState, SubmissionStatus } from './ports/submission-status.ts';

export interface RecentOutcomesLimits {
  /** Submissions remembered; the oldest are forgotten first. */
  readonly submissions: number;
  /** Audit events of one submission; it may be sent as often as its publisher likes. */
  readonly eventsEach: number;
}

const LIMITS: RecentOutcomesLimits = { submissions: 200_000, eventsEach: 16 };

/**
 * What became of the latest submissions. A Kafka topic has no index, so whoever asks later asks the audit log
 * (`residency status`). Fed with what this intake appended and with the audit log's events as they come.
 */
export class RecentOutcomes implements SubmissionStatus {
  readonly #limits: RecentOutcomesLimits;
  /** In the order of their first mention; empty: pending. */
  readonly #events = new Map<string, Buffer[]>();

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
    if (events.length > this.#limits.eventsEach) events.shift();
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
    if (this.#events.size > this.#limits.submissions) {
      const [oldest] = this.#events.keys();
      if (oldest !== undefined) this.#events.delete(oldest);
    }
    return events;
  }
}
