import { describe, expect, it } from 'vitest';
import { progressOf } from '../../src/submission-log/progress.ts';
import type { Evidence, Progress } from '../../src/submission-log/progress.ts';

const event = (last: bigint | null, trimmed = false): Evidence['audit'] => ({
  last,
  trimmed,
  behind: 0n,
});
/** Aborted events, each about the record before which the one before it is. */
const aborted = (...offsets: readonly (bigint | null)[]): Evidence['aborted'] =>
  offsets
    .slice(1)
    .map((about, index) => ({ about: about ?? 0n, previous: offsets[index] ?? null }));
const evidence = (given: Partial<Evidence>): Evidence => ({
  partition: 3,
  committed: undefined as bigint | undefined,
  audit: event(null),
  aborted: [],
  start: 0n,
  end: 100n,
  ...given,
});

describe("a partition's progress", () => {
  it.each<[string, Partial<Evidence>, Progress]>([
    [
      'is the committed position, which follows the last audit event',
      { committed: 42n, audit: event(41n) },
      { settled: 41n, next: 42n },
    ],
    [
      "is the log's end where all is settled",
      { committed: 100n, audit: event(99n) },
      { settled: 99n, next: 100n },
    ],
    [
      "is the log's start where that comes next",
      { committed: 7n, start: 7n, audit: event(6n) },
      { settled: 6n, next: 7n },
    ],
    [
      'is taken from the audit log where none is committed',
      { audit: event(41n) },
      { settled: 41n, next: 42n },
    ],
    [
      "begins at the log's start where nothing was ever settled",
      { start: 7n },
      { settled: null, next: 7n },
    ],
    [
      'is the committed position where all audit events were removed',
      { committed: 42n, audit: event(null, true) },
      { settled: 41n, next: 42n },
    ],
    [
      'is taken from the audit log where the committed position lags',
      { committed: 10n, audit: event(41n) },
      { settled: 41n, next: 42n, differing: 10n },
    ],
    [
      'is taken from the audit log where the events up to the committed position were aborted',
      { committed: 60n, audit: event(41n), aborted: aborted(41n, 42n, 45n, 59n) },
      { settled: 41n, next: 42n, differing: 60n },
    ],
    [
      'begins anew where all events up to the committed position were aborted',
      { committed: 60n, aborted: aborted(null, 3n, 59n) },
      { settled: null, next: 0n, differing: 60n },
    ],
    [
      'follows the chain that ends there, of several attempts',
      {
        committed: 60n,
        audit: event(41n),
        aborted: [...aborted(41n, 42n), ...aborted(41n, 42n, 43n, 59n)],
      },
      { settled: 41n, next: 42n, differing: 60n },
    ],
  ])('%s', (_, given, expected) => {
    expect(progressOf(evidence(given))).toEqual(expected);
  });

  it.each<[string, Partial<Evidence>, string]>([
    [
      "lies before the log's start",
      { committed: 42n, audit: event(41n), start: 43n },
      'PROGRESS_LOST',
    ],
    ["lies behind the log's end", { committed: 101n, audit: event(100n) }, 'PROGRESS_LOST'],
    [
      "is not committed, and the audit log's lies before the start",
      { audit: event(41n), start: 50n },
      'PROGRESS_LOST',
    ],
    ['was removed everywhere', { audit: event(null, true) }, 'PROGRESS_LOST'],
    ['is ahead of the audit log', { committed: 60n, audit: event(41n) }, 'PROGRESS_DIFFERS'],
    [
      'is ahead, and aborted events lead elsewhere',
      { committed: 60n, audit: event(41n), aborted: aborted(41n, 42n, 58n) },
      'PROGRESS_DIFFERS',
    ],
    [
      'is ahead, and aborted events have a hole',
      { committed: 60n, audit: event(41n), aborted: aborted(42n, 59n) },
      'PROGRESS_DIFFERS',
    ],
    [
      'is ahead, and aborted events follow one another in a ring',
      { committed: 60n, audit: event(41n), aborted: aborted(41n, 43n, 42n, 41n) },
      'PROGRESS_DIFFERS',
    ],
    ['is committed, and the audit log was never written', { committed: 10n }, 'PROGRESS_DIFFERS'],
  ])('stops where it %s', (_, given, code) => {
    expect(() => progressOf(evidence(given))).toThrow(
      expect.objectContaining({ code, remedy: 'stop' }),
    );
  });

  it('says what both are and what to do', () => {
    expect(() => progressOf(evidence({ committed: 60n, audit: event(41n) }))).toThrow(
      /partition 3.* found 60 committed .* offset 41.* delete the group's offsets/,
    );
  });
});
