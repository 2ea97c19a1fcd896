/** Bytes of a sample that came to a client. */
export interface Arrival {
  readonly access: string;
  readonly submission: string;
  readonly bytes: number;
  /** Milliseconds since the epoch, by the clock that the broker has too. */
  readonly at: number;
}

/** A record of a region's custody log. */
export interface CustodyRow {
  /** Append time, milliseconds since the epoch. */
  readonly at: number;
  readonly value: Buffer | null;
}

interface Event {
  readonly at: number;
  readonly type: string;
  readonly data: {
    readonly access?: string;
    readonly submission?: string;
    readonly until?: string;
  };
}

// Uses no code of the product: docs/formats/custody.md.

/** What a custodian had handed to its system when it was frozen, at most. */
const HANDED_ON_BYTES = 64 * 1024;

/**
 * What reached clients after the sample's erasure was on the log, and erasures that did not wait for
 * an access. `rows`: the whole log, in order.
 */
export function erasedFaults(
  arrivals: readonly Arrival[],
  rows: readonly CustodyRow[],
): readonly string[] {
  const erased = erasedAt(rows);
  return [...lateDownloads(arrivals, erased), ...overtakenAccesses(rows, erased)];
}

/** None may begin after the erasure. One that began before ends with the piece that was on its way. */
function lateDownloads(
  arrivals: readonly Arrival[],
  erased: ReadonlyMap<string, number>,
): readonly string[] {
  const downloads = Map.groupBy(arrivals, ({ access }) => access);
  return [...downloads].flatMap(([access, pieces]) => {
    const late = pieces.filter(({ submission, at }) => at > (erased.get(submission) ?? Infinity));
    const bytes = late.reduce((sum, piece) => sum + piece.bytes, 0);
    const mayBe = late.length === pieces.length ? 0 : HANDED_ON_BYTES;
    return bytes <= mayBe
      ? []
      : [`${access}: ${bytes} bytes of the sample after its erasure was on the log`];
  });
}

function overtakenAccesses(
  rows: readonly CustodyRow[],
  erased: ReadonlyMap<string, number>,
): readonly string[] {
  return eventsIn(rows)
    .filter(({ type }) => type === 'residency.sample.accessed.v1')
    .flatMap(({ at, data: { access, submission = '', until = '' } }) => {
      const gone = erased.get(submission) ?? Infinity;
      return [
        ...(at <= gone ? [] : [`${access}: an access to a sample that was erased before`]),
        ...(Date.parse(until) <= gone ? [] : [`${access}: the sample was erased while it lived`]),
      ];
    });
}

/** The append time of each submission's first erasure. */
export function erasedAt(rows: readonly CustodyRow[]): ReadonlyMap<string, number> {
  return new Map(
    eventsIn(rows)
      .filter(({ type }) => type === 'residency.sample.erased.v1')
      .toReversed()
      .map(({ at, data: { submission = '' } }) => [submission, at]),
  );
}

function eventsIn(rows: readonly CustodyRow[]): readonly Event[] {
  return rows.map(({ at, value }) => {
    const { type, data } = JSON.parse(value?.toString('utf8') ?? '{}') as Event;
    return { at, type, data };
  });
}
