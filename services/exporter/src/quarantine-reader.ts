import type { KafkaLog } from '@residency/adapter-kafka';
import { hasCode } from '@residency/coded-error';
import {
  QUARANTINE_CLOSED,
  TOPICS,
  auditEventIn,
  parsePosition,
  readControlRecord,
} from '@residency/contracts';
import type { LogRecord, Position } from '@residency/contracts';
import type { QuarantineNow } from '@residency/telemetry';
import { QuarantineBook } from './quarantine-book.ts';
import type { Bounds } from './quarantine-book.ts';

export type QuarantineLog = Pick<
  KafkaLog,
  'name' | 'readBatches' | 'ahead' | 'since' | 'starts' | 'ends'
>;

export interface QuarantineReaderDeps {
  readonly log: QuarantineLog;
  /** What the brokers' clocks may differ by, milliseconds. */
  readonly marginMs: number;
}

/** A book, and how far the audit log was read into it. */
interface Reading {
  readonly book: QuarantineBook;
  readonly next: Map<number, bigint>;
  /** How far the control log was read into it. */
  readonly control: Map<number, bigint>;
}

/**
 * The audit log as far as the quarantine goes, from the first event that can be about a record the
 * intake log still holds. Each reading goes on where the last one ended, however that ended, to the
 * end that the audit log then has, open transactions awaited.
 */
export class QuarantineReader {
  readonly #deps: QuarantineReaderDeps;
  #reading: Reading | undefined;
  /** Of readings that were begun anew. */
  #expired = 0;

  constructor(deps: QuarantineReaderDeps) {
    this.#deps = deps;
  }

  async read(signal: AbortSignal): Promise<QuarantineNow> {
    const book = await this.#readToTheEnd(signal);
    book.keepWithin(await boundsOf(this.#deps.log));
    return book.summary();
  }

  async #readToTheEnd(signal: AbortSignal): Promise<QuarantineBook> {
    try {
      return await this.#goOn(signal);
    } catch (error) {
      // Not the audit log that was read so far, or not all of it any more.
      if (!hasCode(error, 'OFFSET_OUT_OF_RANGE')) throw error;
      this.#expired = this.#reading?.book.expired ?? this.#expired;
      this.#reading = undefined;
      return await this.#goOn(signal);
    }
  }

  async #goOn(signal: AbortSignal): Promise<QuarantineBook> {
    const { book, next, control } = (this.#reading ??= await this.#begin());
    for await (const records of this.#deps.log.readBatches(TOPICS.audit, {
      from: next,
      until: 'end',
      signal,
    })) {
      for (const record of records) {
        this.#note(book, record);
        next.set(record.partition, record.offset + 1n);
      }
    }
    for await (const records of this.#deps.log.readBatches(TOPICS.control, {
      from: control,
      until: 'end',
      signal,
    })) {
      for (const record of records) {
        const position = closedBy(record);
        if (position !== undefined && this.#ours(position)) book.closed(position);
        control.set(record.partition, record.offset + 1n);
      }
    }
    return book;
  }

  async #begin(): Promise<Reading> {
    const { log, marginMs } = this.#deps;
    // Before it is asked what the intake log holds: events about what is appended later come
    // behind.
    const ends = await log.ends(TOPICS.audit);
    const starts = await log.starts(TOPICS.samples);
    const oldest = await oldestOf(log, starts);
    const next = oldest === undefined ? ends : await log.since(TOPICS.audit, oldest - marginMs);
    return {
      book: new QuarantineBook(starts, this.#expired),
      next: new Map(next),
      control: new Map(await log.starts(TOPICS.control)),
    };
  }

  #note(book: QuarantineBook, { partition, value }: LogRecord): void {
    const event = value === null || !mayMatter(value) ? undefined : auditEventIn(value);
    if (
      event === undefined ||
      !this.#ours(event.position) ||
      event.position.partition !== partition
    )
      return;
    if (event.outcome === 'quarantined')
      book.quarantined(event.position, event.at, event.data.reason);
    const of = event.data.redriveOf === undefined ? undefined : parsePosition(event.data.redriveOf);
    if (of !== undefined && this.#ours(of)) book.sentAgain(of);
  }

  #ours({ log, topic }: Position): boolean {
    return log === this.#deps.log.name && topic === TOPICS.samples;
  }
}

const MATTERS = [Buffer.from('residency.sample.quarantined.'), Buffer.from('"redriveOf"')];

/**
 * Most events are about neither, and to decode one takes far longer than to find that out. Audit
 * events are canonical: what they say is written in one way.
 */
function mayMatter(value: Buffer): boolean {
  return MATTERS.some((bytes) => value.includes(bytes));
}

/**
 * The position of a quarantined record that a person closed; `undefined`: another control event, or
 * none.
 */
function closedBy(record: LogRecord): Position | undefined {
  try {
    const event = readControlRecord(record);
    return event.type === QUARANTINE_CLOSED ? parsePosition(event.data.position) : undefined;
  } catch {
    return undefined;
  }
}

/** Append time of the oldest record that the intake log holds; `undefined`: none. */
async function oldestOf(
  log: QuarantineLog,
  starts: ReadonlyMap<number, bigint>,
): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const [partition, start] of starts) {
    const { first } = await log.ahead(TOPICS.samples, partition, start);
    if (first !== undefined && (oldest === undefined || first.at < oldest)) oldest = first.at;
  }
  return oldest;
}

async function boundsOf(log: QuarantineLog): Promise<ReadonlyMap<number, Bounds>> {
  const starts = await log.starts(TOPICS.samples);
  const ends = await log.ends(TOPICS.samples);
  return new Map(
    [...starts].map(([partition, start]) => [
      partition,
      { start, end: ends.get(partition) ?? start },
    ]),
  );
}
