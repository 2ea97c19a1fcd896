import { hasCode } from '@residency/coded-error';
import {
  QUARANTINE_CLOSED,
  REDRIVE_HEADER,
  auditEventIn,
  formatPosition,
  namedOwner,
  parsePosition,
  readControlRecord,
  sha256,
} from '@residency/contracts';
import type { AuditEvent, LogRecord, QuarantinePointer } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Instant } from '@residency/residency';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';

/** The record that a quarantined one was sent through again as. */
export interface Redriven {
  readonly position: string;
  /** Of its audit event; absent: it waits. */
  readonly outcome?: string;
  readonly reason?: string;
}

export interface Closed {
  readonly reason: string;
  readonly at: Instant;
  readonly principal?: string;
}

/** Whose identity a conflict met, and in what the two differ. */
export interface Met {
  /** The owner's position. */
  readonly of: string;
  readonly differs: readonly ('sample' | 'country')[];
}

/** A quarantined record and what became of it. */
export interface QuarantinedEntry {
  readonly pointer: QuarantinePointer;
  /** `open`: it waits for a person. A record that was closed and redriven is redriven. */
  readonly state: 'open' | 'redriven' | 'closed';
  readonly redriven?: Redriven;
  readonly closed?: Closed;
  /** Absent: no conflict, or one whose owner nobody could tell. */
  readonly met?: Met;
  /** How often it was redriven before and came back. */
  readonly rounds: number;
}

/**
 * Every pointer of the quarantine in the order of its log, with what the audit, the intake and the
 * control log say of it.
 */
export async function quarantineBook(
  session: Session,
  system: System,
): Promise<readonly QuarantinedEntry[]> {
  const pointers = await distinct(checked(session, system.quarantine()));
  const redriven = await readAudit(session, system);
  const closed = await closedIn(session, system);
  const known = new Set(pointers.map(({ position }) => position));
  return pointers.map((pointer) => {
    const again = redriven.byOld.get(pointer.position);
    const end = closed.get(pointer.position);
    return {
      pointer,
      state: again !== undefined ? 'redriven' : end !== undefined ? 'closed' : 'open',
      rounds: roundsOf(pointer.position, redriven.byNew, known),
      ...defined({ redriven: again, closed: end, met: redriven.met.get(pointer.position) }),
    };
  });
}

/** The first pointer of each position: the same one may be there twice. */
async function distinct(
  pointers: AsyncIterable<QuarantinePointer>,
): Promise<readonly QuarantinePointer[]> {
  const found = new Map<string, QuarantinePointer>();
  for await (const pointer of pointers)
    if (!found.has(pointer.position)) found.set(pointer.position, pointer);
  return [...found.values()];
}

/**
 * Whether the intake log still holds the record of a pointer. `replaced`: another record has its
 * position.
 */
export async function standing(
  system: System,
  { position, valueSha256, valueBytes }: QuarantinePointer,
): Promise<LogRecord | 'expired' | 'replaced'> {
  const record = await system.recordAt(parsePosition(position));
  if (record === undefined) return 'expired';
  const value = record.value ?? Buffer.alloc(0);
  return value.length === valueBytes && sha256(value) === valueSha256 ? record : 'replaced';
}

interface FromAudit {
  /** By the position of the quarantined record, and by the new one. */
  readonly byOld: ReadonlyMap<string, Redriven>;
  readonly byNew: ReadonlyMap<string, string>;
  /** By the position of the conflict. */
  readonly met: ReadonlyMap<string, Met>;
}

/**
 * Also those that were not routed yet: saying it twice must not send a record twice. The last one
 * of a position holds.
 */
async function readAudit(session: Session, system: System): Promise<FromAudit> {
  const [byOld, byNew] = [new Map<string, Redriven>(), new Map<string, string>()];
  const met = new Map<string, Met>();
  for await (const bytes of checked(session, system.auditRecords())) {
    const event = auditEventIn(bytes);
    if (event === undefined) continue;
    const conflict = metBy(event);
    if (conflict !== undefined) met.set(formatPosition(event.position), conflict);
    if (event.data.redriveOf === undefined) continue;
    const {
      position,
      outcome,
      data: { redriveOf, ...data },
    } = event;
    byNew.set(formatPosition(position), redriveOf);
    byOld.set(redriveOf, {
      position: formatPosition(position),
      outcome,
      ...('reason' in data ? { reason: data.reason } : {}),
    });
  }
  for await (const { position, of } of waitingRedrives(session, system))
    byOld.set(of, { position });
  return { byOld, byNew, met };
}

function metBy(event: AuditEvent): Met | undefined {
  const owner = namedOwner(event);
  if (event.outcome !== 'quarantined' || owner === undefined) return undefined;
  const { sampleSha256, country } = event.data;
  return {
    of: owner.of,
    differs: [
      ...(owner.sampleSha256 === sampleSha256 ? [] : (['sample'] as const)),
      ...(owner.country === country ? [] : (['country'] as const)),
    ],
  };
}

/** Nothing is listed for a replaced intake log: its records are another log's. */
async function* waitingRedrives(
  session: Session,
  system: System,
): AsyncGenerator<{ readonly position: string; readonly of: string }> {
  try {
    for await (const { partition, offset, topic, headers } of checked(session, system.waiting())) {
      const of = headers.find(([name]) => name === REDRIVE_HEADER)?.[1].toString();
      if (of !== undefined) yield { of, position: sameLog(of, { topic, partition, offset }) };
    }
  } catch (error) {
    if (!hasCode(error, 'LOG_REPLACED')) throw error;
    session.output.note(
      'LOG_REPLACED: the intake log is not the one that was settled; its waiting records are not listed.',
    );
  }
}

/** Publishers control the header; a position of another log names nothing here. */
function sameLog(
  of: string,
  { topic, partition, offset }: Pick<LogRecord, 'topic' | 'partition' | 'offset'>,
): string {
  return `${of.split('/')[0] ?? ''}/${topic}/${partition}/${offset}`;
}

/** The first one of a position holds. */
async function closedIn(session: Session, system: System): Promise<ReadonlyMap<string, Closed>> {
  const closed = new Map<string, Closed>();
  for await (const record of checked(session, system.controlLog())) {
    const event = controlEventOf(record);
    if (event?.type !== QUARANTINE_CLOSED || closed.has(event.data.position)) continue;
    closed.set(event.data.position, {
      reason: event.data.reason,
      at: record.at,
      ...defined({ principal: event.principal }),
    });
  }
  return closed;
}

function controlEventOf(record: LogRecord): ReturnType<typeof readControlRecord> | undefined {
  try {
    return readControlRecord(record);
  } catch {
    return undefined;
  }
}

/**
 * Publishers may name any position in a redrive's header: only quarantined ones count, each once.
 */
function roundsOf(
  position: string,
  byNew: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
): number {
  const seen = new Set([position]);
  for (
    let of = byNew.get(position);
    of !== undefined && known.has(of) && !seen.has(of);
    of = byNew.get(of)
  )
    seen.add(of);
  return seen.size - 1;
}

async function* checked<T>(session: Session, records: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const record of records) {
    checkInterrupted(session);
    yield record;
  }
}
