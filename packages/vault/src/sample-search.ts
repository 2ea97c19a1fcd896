import { hasCode, remedyOf } from '@residency/coded-error';
import {
  TOPICS,
  auditEventIn,
  formatPosition,
  isStoredIn,
  parsePosition,
} from '@residency/contracts';
import type { Position, StoredEvent } from '@residency/contracts';
import type { AccessDesk, AuditFeedRecord } from '@residency/custodianship';
import { mayAsk } from './purposes.ts';
import type { Asker, Purpose, Purposes } from './purposes.ts';
import { VaultError, refused } from './vault-error.ts';

/** What is looked for. Without a condition: everything. */
export interface SampleQuery {
  readonly purpose: string;
  /** Append time of the record, milliseconds. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  readonly country?: string;
  readonly verdict?: string;
  readonly sampleSha256?: string;
  /** The most samples in one answer, 1 to `MOST_RESULTS`. */
  readonly limit: number;
  /** `next` of the answer before. */
  readonly after?: string;
}

/** A stored sample, without its owner. */
export interface FoundSample {
  readonly submission: string;
  /** Of its record. */
  readonly position: string;
  /** Append time of its record, milliseconds. */
  readonly at: number;
  readonly country: string;
  readonly verdict: string;
  /** Of the sample in the clear. */
  readonly bytes: number;
  readonly sampleSha256: string;
  /** It is erased, or an order says that it is to be. */
  readonly erased: boolean;
}

export interface FoundSamples {
  readonly samples: readonly FoundSample[];
  /** Where the search goes on. Absent: the log was looked through to its end. */
  readonly next?: string;
}

export interface SampleSearchDeps {
  readonly region: string;
  readonly purposes: Purposes;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export const MOST_RESULTS = 1_000;
/** Records of the audit log that one answer looks through: about a second of one core. */
const MOST_RECORDS = 20_000;
/** Offsets are 64-bit integers with a sign. */
const LAST_OFFSET = 2n ** 63n - 1n;
const DAY_MS = 24 * 60 * 60 * 1_000;

interface Counted {
  readonly at: number;
  results: number;
}

/** Looks through the audit log for samples of one region. */
export class SampleSearch {
  readonly #deps: SampleSearchDeps;
  /** Searches of the last 24 hours, by principal and purpose. */
  readonly #counted = new Map<string, readonly Counted[]>();

  constructor(deps: SampleSearchDeps) {
    this.#deps = deps;
  }

  /** Throws `VaultError`, and the feed's errors with remedy `retry`. */
  async find(
    desk: AccessDesk,
    asker: Asker,
    query: SampleQuery,
    signal: AbortSignal,
  ): Promise<FoundSamples> {
    const purpose = this.#purposeOf(asker, query.purpose);
    const after = query.after === undefined ? undefined : cursorIn(query.after, desk.log);
    const partitions = await desk.audit.partitions();
    if (after !== undefined && !partitions.includes(after.partition)) throw cursorInvalid();
    // What it may still find is taken first: two searches at once cannot both use it.
    const counted = this.#count(purpose, asker.principal, query.limit);
    const most = counted.results;
    const samples: FoundSample[] = [];
    let looked = 0;
    try {
      for (const partition of partitions.filter((one) => one >= (after?.partition ?? 0))) {
        const from = partition === after?.partition ? after.offset + 1n : 0n;
        for await (const { offset, value } of desk.audit.read(partition, from)) {
          const event = this.#match(value, query);
          if (event !== undefined) samples.push(foundOf(event, desk.isErased(event)));
          looked += 1;
          if (samples.length < most && looked < MOST_RECORDS && !signal.aborted) continue;
          const next = { log: desk.log, topic: TOPICS.audit, partition, offset };
          return { samples, next: formatPosition(next) };
        }
      }
      return { samples };
    } catch (error) {
      // The log has no such offset.
      if (after !== undefined && looked === 0 && remedyOf(error) === 'stop')
        throw cursorInvalid(error);
      throw error;
    } finally {
      counted.results = samples.length;
    }
  }

  #match(value: AuditFeedRecord['value'], query: SampleQuery): StoredEvent | undefined {
    const event = auditEventIn(value);
    if (!isStoredIn(this.#deps.region, event)) return undefined;
    const { country, verdict, sampleSha256 } = event.data;
    const matches =
      event.at >= (query.from ?? event.at) &&
      event.at < (query.to ?? Infinity) &&
      country === (query.country ?? country) &&
      verdict === (query.verdict ?? verdict) &&
      sampleSha256 === (query.sampleSha256 ?? sampleSha256);
    return matches ? event : undefined;
  }

  #purposeOf(asker: Asker, id: string): Purpose {
    const purpose = this.#deps.purposes.get(id);
    if (purpose === undefined) throw refused('PURPOSE_UNKNOWN');
    if (!mayAsk(purpose, asker)) throw refused('PURPOSE_NOT_ALLOWED');
    if (purpose.daily.searches > 0) return purpose;
    throw new VaultError({
      code: 'SEARCH_NOT_ALLOWED',
      message:
        'Expected a purpose for which the purposes file allows searches, found one for which it does not. Ask the operator, or name submissions.',
      remedy: 'stop',
    });
  }

  /** Throws `LIMIT_REACHED`. `results`: how many samples it may find. */
  #count({ id, daily }: Purpose, principal: string, limit: number): Counted {
    const at = this.#deps.now();
    const name = `${principal} ${id}`;
    const before = (this.#counted.get(name) ?? []).filter((one) => one.at > at - DAY_MS);
    const left = before.reduce((rest, one) => rest - one.results, daily.results);
    if (before.length >= daily.searches || left <= 0) throw refused('LIMIT_REACHED');
    const counted = { at, results: Math.min(left, limit) };
    this.#counted.set(name, [...before, counted]);
    return counted;
  }
}

function foundOf({ position, at, data }: StoredEvent, erased: boolean): FoundSample {
  const { submission, country, verdict, sampleBytes: bytes, sampleSha256 } = data;
  return {
    submission,
    position: formatPosition(position),
    at,
    country,
    verdict,
    bytes,
    sampleSha256,
    erased,
  };
}

/** The asker controls it. */
function cursorIn(text: string, log: string): Position {
  let cursor: Position;
  try {
    cursor = parsePosition(text);
  } catch (error) {
    if (!hasCode(error, 'INVALID_POSITION')) throw error;
    throw cursorInvalid(error);
  }
  if (cursor.log !== log || cursor.topic !== TOPICS.audit || cursor.offset >= LAST_OFFSET)
    throw cursorInvalid();
  return cursor;
}

function cursorInvalid(cause?: unknown): VaultError {
  return new VaultError({
    code: 'CURSOR_INVALID',
    message:
      'Expected the cursor of an earlier answer of this vault, found another. Begin the search without one.',
    remedy: 'stop',
    cause,
  });
}
