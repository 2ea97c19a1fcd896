import type { AuditEvent, Outcome } from '@residency/contracts';
import { OUTCOMES } from '@residency/contracts';
import { bytesText, counted, grouped, table } from '../terminal/table.ts';
import { placeOf } from '../system/outcome.ts';

interface Row {
  readonly outcome: Outcome;
  /** A region, or why there is none. */
  readonly place: string;
  readonly submissions: number;
  readonly bytes: number;
}

/** The settled records of one router run. */
export class RunSummary {
  /** How long it took. */
  seconds = 0;
  readonly #rows = new Map<string, Row>();

  add(event: AuditEvent): void {
    const { outcome } = event;
    const place = placeOf(event);
    const key = `${outcome} ${place}`;
    const { submissions, bytes } = this.#rows.get(key) ?? { submissions: 0, bytes: 0 };
    this.#rows.set(key, {
      outcome,
      place,
      submissions: submissions + 1,
      bytes: bytes + (event.data.sampleBytes ?? 0),
    });
  }

  get quarantined(): number {
    return sum(
      this.#sorted().filter(({ outcome }) => outcome === 'quarantined'),
      'submissions',
    );
  }

  toJson(): object {
    const rows = this.#sorted();
    const { submissions, bytes, perSecond, bytesPerSecond } = this.#total();
    const outcomes = rows.map(({ outcome, place, ...numbers }) => ({
      outcome,
      ...(outcome === 'stored' || outcome === 'duplicate' ? { region: place } : { reason: place }),
      ...numbers,
    }));
    return {
      submissions,
      bytes,
      seconds: this.seconds,
      submissionsPerSecond: perSecond,
      bytesPerSecond,
      outcomes,
    };
  }

  /** `blocked`: a record waits that could not be settled. */
  toLines(blocked: boolean): string[] {
    const { submissions, bytes, perSecond, bytesPerSecond } = this.#total();
    if (submissions === 0) return [blocked ? 'Nothing was settled.' : 'Nothing waited.'];
    return [
      ...table(
        ['outcome', 'region or reason', 'submissions', 'bytes'],
        this.#sorted().map(({ outcome, place, submissions, bytes }) => [
          outcome,
          place,
          submissions,
          bytes,
        ]),
      ),
      `${counted(submissions, 'submission')}, ${bytesText(bytes)} in ${grouped(this.seconds)} s: ${grouped(perSecond)} submissions/s, ${grouped(bytesPerSecond / 1e6)} MB/s`,
    ];
  }

  #total(): { submissions: number; bytes: number; perSecond: number; bytesPerSecond: number } {
    const rows = this.#sorted();
    const [submissions, bytes] = [sum(rows, 'submissions'), sum(rows, 'bytes')];
    const seconds = Math.max(this.seconds, 0.001);
    return {
      submissions,
      bytes,
      perSecond: submissions / seconds,
      bytesPerSecond: bytes / seconds,
    };
  }

  #sorted(): readonly Row[] {
    return [...this.#rows.values()].toSorted(
      (a, b) =>
        OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome) || (a.place < b.place ? -1 : 1),
    );
  }
}

function sum(rows: readonly Row[], what: 'submissions' | 'bytes'): number {
  return rows.reduce((total, row) => total + row[what], 0);
}
