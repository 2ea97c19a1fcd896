import { TOPICS } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { Condition } from '@residency/waiting';
import type { Batch as Fetched } from 'kafkajs';
import { KafkaLogError } from '../kafka-log-error.ts';
import { toLogRecord } from '../to-log-record.ts';
import { PendingRecords } from './pending-records.ts';
import type { BatchLimits } from './pending-records.ts';

/** The longest time that a fetch waits for room. The broker's other partitions wait with it. */
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
  /** Aborted once no more records are to be accepted. */
  readonly over: AbortSignal;
}

/**
 * Buffers the fetched records of a partition until they are batched. It skips no offset and holds
 * only records that are needed soon.
 */
export class Inbox {
  readonly #plan: InboxPlan;
  readonly #pending: PendingRecords;
  readonly #condition = new Condition();
  /** The offset to fetch next; `undefined`: fetch nothing. */
  #next: bigint | undefined;
  #paused = true;
  #ahead = false;
  #idleSince: number | undefined;

  constructor(plan: InboxPlan) {
    this.#plan = plan;
    this.#pending = new PendingRecords(plan.limits);
  }

  /**
   * Since when, and from which offset on, the partition waits for records; `undefined`: it does not
   * wait.
   */
  get waiting(): { readonly since: number; readonly from: bigint } | undefined {
    return this.#idleSince === undefined || this.#next === undefined
      ? undefined
      : { since: this.#idleSince, from: this.#next };
  }

  /** Starts fetching from `next` on. */
  open(next: bigint): void {
    this.#next = next;
    this.#ahead = false;
    this.#paused = false;
    this.#plan.flow.resumeAt(this.#plan.partition, next);
  }

  /** Discards its records. */
  close(): void {
    this.#next = undefined;
    this.#idleSince = undefined;
    this.#pending.clear();
    this.#condition.notify();
  }

  /** Accepts fetched records if they begin at the requested offset. */
  accept(fetched: Fetched): boolean {
    const next = this.#next;
    if (next === undefined || this.#plan.over.aborted) return false;
    // A fetch that began before a seek, or a reset of kafkajs to the log's start because `next` is
    // outside the log.
    if (fetchedFrom(fetched) > next) {
      this.#ahead = true;
      this.#condition.notify();
      return false;
    }
    this.#pending.add(
      fetched.messages
        .filter(({ offset }) => BigInt(offset) >= next)
        .map((message) => toLogRecord(message, TOPICS.samples, this.#plan.partition)),
    );
    this.#next = later(next, BigInt(fetched.lastOffset()) + 1n);
    this.#condition.notify();
    return true;
  }

  /** The offsets `first` to `last` hold no record to hand over. */
  skip(first: bigint, last: bigint): void {
    if (this.#next === undefined || first > this.#next) return;
    this.#next = later(this.#next, last + 1n);
    this.#condition.notify();
  }

  /** Resolves when more may be fetched: there is room, or the partition was paused. */
  async room(): Promise<void> {
    const until = performance.now() + ROOM_WITHIN_MS;
    for (
      let left = ROOM_WITHIN_MS;
      this.#pending.full && left > 0 && !this.#plan.over.aborted;
      left = until - performance.now()
    )
      await this.#condition.wait({ signal: this.#plan.over, ms: left });
    if (!this.#pending.full || this.#plan.over.aborted) return;
    this.#paused = true;
    this.#plan.flow.pause(this.#plan.partition);
  }

  /** The records of the next batch; empty: none wait. Throws `FETCHED_AHEAD` (retry). */
  take(): readonly LogRecord[] {
    const { partition, flow } = this.#plan;
    if (this.#ahead) throw fetchedAhead(partition);
    const records = this.#pending.take();
    this.#condition.notify();
    if (this.#paused && !this.#pending.full) {
      this.#paused = false;
      flow.resume(partition);
    }
    this.#idleSince = records.length > 0 ? undefined : (this.#idleSince ?? performance.now());
    return records;
  }

  /** Returns records that were taken and not settled. */
  putBack(records: readonly LogRecord[]): void {
    this.#pending.putBack(records);
  }

  async changed(): Promise<void> {
    await this.#condition.wait({ signal: this.#plan.over });
  }
}

/** The start offset of a fetch. kafkajs keeps it, but its types do not declare it. */
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
