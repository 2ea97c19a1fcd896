import { TOPICS } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { Batch as Fetched } from 'kafkajs';
import { KafkaLogError } from '../kafka-log-error.ts';
import { toLogRecord } from '../to-log-record.ts';
import { Change } from './change.ts';
import { PendingRecords } from './pending-records.ts';
import type { BatchLimits } from './pending-records.ts';

/** So long a fetch waits for room at most; the broker's other partitions wait with it. */
const ROOM_WITHIN_MS = 200;

/** The fetching of a partition. */
export interface Flow {
  resumeAt(partition: number, offset: bigint): void;
  pause(partition: number): void;
  resume(partition: number): void;
}

export interface InboxPlan {
  readonly partition: number;
  readonly limits: BatchLimits;
  readonly flow: Flow;
  /** Aborted when nothing is to be taken any more. */
  readonly over: AbortSignal;
}

/** Between the fetches of a partition and its batches: no offset is passed over, and no more is held than is soon needed. */
export class Inbox {
  readonly #plan: InboxPlan;
  readonly #pending: PendingRecords;
  readonly #change = new Change();
  /** The offset to be fetched next; `undefined` while nothing is to be fetched. */
  #next: bigint | undefined;
  #paused = true;
  #ahead = false;
  #idleSince: number | undefined;

  constructor(plan: InboxPlan) {
    this.#plan = plan;
    this.#pending = new PendingRecords(plan.limits);
  }

  /** Since when it waits for records, and from which offset on; `undefined` while it does not. */
  get waiting(): { readonly since: number; readonly from: bigint } | undefined {
    return this.#idleSince === undefined || this.#next === undefined
      ? undefined
      : { since: this.#idleSince, from: this.#next };
  }

  /** Fetches from `next` on. */
  open(next: bigint): void {
    this.#next = next;
    this.#ahead = false;
    this.#paused = false;
    this.#plan.flow.resumeAt(this.#plan.partition, next);
  }

  /** Forgets what it holds. */
  close(): void {
    this.#next = undefined;
    this.#idleSince = undefined;
    this.#pending.clear();
    this.#change.announce();
  }

  /** Takes what was fetched, unless it is not what was asked for. */
  accept(fetched: Fetched): boolean {
    const next = this.#next;
    if (next === undefined || this.#plan.over.aborted) return false;
    // A fetch begun before a seek, or kafkajs going back to the log's start by itself because `next` is not in the log any more.
    if (fetchedFrom(fetched) > next) {
      this.#ahead = true;
      this.#change.announce();
      return false;
    }
    this.#pending.add(
      fetched.messages
        .filter(({ offset }) => BigInt(offset) >= next)
        .map((message) => toLogRecord(message, TOPICS.samples, this.#plan.partition)),
    );
    this.#next = later(next, BigInt(fetched.lastOffset()) + 1n);
    this.#change.announce();
    return true;
  }

  /** From `first` to `last` nothing stands that is handed over. */
  skip(first: bigint, last: bigint): void {
    if (this.#next === undefined || first > this.#next) return;
    this.#next = later(this.#next, last + 1n);
    this.#change.announce();
  }

  /** Resolves when more may be fetched: there is room, or the partition was paused. */
  async room(): Promise<void> {
    const until = performance.now() + ROOM_WITHIN_MS;
    for (
      let left = ROOM_WITHIN_MS;
      this.#pending.full && left > 0;
      left = until - performance.now()
    )
      await this.#change.next(this.#plan.over, left);
    if (!this.#pending.full || this.#plan.over.aborted) return;
    this.#paused = true;
    this.#plan.flow.pause(this.#plan.partition);
  }

  /** The next batch's records; none: nothing waits. Throws `FETCHED_AHEAD` (retry). */
  take(): readonly LogRecord[] {
    const { partition, flow } = this.#plan;
    if (this.#ahead) throw fetchedAhead(partition);
    const records = this.#pending.take();
    this.#change.announce();
    if (this.#paused && !this.#pending.full) {
      this.#paused = false;
      flow.resume(partition);
    }
    this.#idleSince = records.length > 0 ? undefined : (this.#idleSince ?? performance.now());
    return records;
  }

  /** Gives back what was taken and not settled. */
  putBack(records: readonly LogRecord[]): void {
    this.#pending.putBack(records);
  }

  async changed(): Promise<void> {
    await this.#change.next(this.#plan.over);
  }
}

/** The offset a fetch began at: kafkajs keeps it, its types do not tell. */
function fetchedFrom(fetched: Fetched): bigint {
  const first = BigInt(fetched.firstOffset() ?? fetched.lastOffset());
  const asked = 'fetchedOffset' in fetched ? BigInt(String(fetched.fetchedOffset)) : first;
  return asked < first ? asked : first;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function fetchedAhead(partition: number): KafkaLogError {
  return new KafkaLogError({
    code: 'FETCHED_AHEAD',
    remedy: 'retry',
    message: `Expected the records of partition ${partition} from the first one not settled, found later ones. The committed position is read again.`,
  });
}
