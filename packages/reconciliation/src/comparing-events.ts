import { createHash } from 'node:crypto';
import { auditEventIn, custodyEventIn, formatPosition } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { MAX_ENTRY_BYTES } from '@residency/ledger';
import type { Comparing, Compared } from './comparing.ts';
import { KeptComparison } from './kept-comparison.ts';
import { nameOf, ofLedger } from './ledger-difference.ts';
import type { ReportDifference } from './ledger-difference.ts';
import type { LedgerView, OpenedLedger } from './opened-ledger.ts';

/**
 * Most differing leaves listed for a partition. Beyond it, the report only says that the two
 * diverge: after one missing or additional event every leaf differs.
 */
const MOST_DIFFERING = 16;

/** The comparison of a log whose records are leaves by their place in it. */
export class ComparingEvents implements Comparing {
  readonly #of: LedgerView['of'];
  readonly #ledger: OpenedLedger | undefined;
  readonly #report: ReportDifference;
  readonly #kept: KeptComparison | undefined;
  /** The index of the first event's leaf. */
  readonly #first: number;
  #index: number;
  #compared = 0;
  #differing = 0;

  constructor(
    { of, kept, successor }: LedgerView,
    ledger: OpenedLedger | undefined,
    first: Uint8Array | undefined,
    report: ReportDifference,
  ) {
    this.#of = of;
    this.#ledger = ledger;
    this.#report = report;
    this.#kept = KeptComparison.of(kept, (message) => {
      report(ofLedger(of, 'LEDGER_ROLLED_BACK', message));
    });
    if (first !== undefined) this.#kept?.add(first);
    this.#first = successor === true ? 1 : 0;
    this.#index = this.#first;
  }

  async follow({ offset, value }: LogRecord): Promise<void> {
    const index = this.#index;
    this.#index += 1;
    this.#kept?.add(leafOf(value));
    const leaf = await this.#ledger?.leaf(index);
    if (leaf === undefined) return;
    this.#compared += 1;
    if (Buffer.compare(leaf, leafOf(value)) === 0) return;
    this.#differing += 1;
    const place = { position: positionOf(value) ?? `${nameOf(this.#of)}/${offset}` };
    if (this.#differing <= MOST_DIFFERING)
      this.#report({
        code: 'LEDGER_LEAF_DIFFERS',
        ...place,
        message: `Expected the event to be leaf ${index} of its log's ledger, found another there; one of the two was altered.`,
      });
    if (this.#differing === MOST_DIFFERING) {
      this.#ledger?.end();
      this.#report({
        code: 'LEDGER_DIVERGES',
        ...place,
        message:
          'Expected ledger and log to say the same, found that they diverge; an event was added, left out or moved before. Compared no further.',
      });
    }
  }

  end(): Compared {
    this.#kept?.end();
    const size = this.#ledger?.head.size ?? 0;
    if (size > this.#index)
      this.#report(
        ofLedger(
          this.#of,
          'LEDGER_AHEAD',
          `Expected the ledger to hold its log's events and nothing else, found ${size} leaves and ${this.#index} events; the log lost its end, or it is another log's ledger.`,
        ),
      );
    return {
      records: this.#index - this.#first,
      compared: this.#compared,
      notYet: Math.max(0, this.#index - size),
    };
  }
}

/**
 * docs/formats/ledger.md "Order". A second implementation, because the reconciler checks the writer
 * of the ledger.
 */
function leafOf(value: Buffer | null): Uint8Array {
  if (value === null) return new Uint8Array();
  if (value.length <= MAX_ENTRY_BYTES) return value;
  return Buffer.from(
    `{"bytes":${value.length},"sha256":"${createHash('sha256').update(value).digest('hex')}"}`,
  );
}

function positionOf(value: Buffer | null): string | undefined {
  const event = auditEventIn(value);
  if (event !== undefined) return formatPosition(event.position);
  const { data } = custodyEventIn(value) ?? {};
  return data !== undefined && 'of' in data ? data.of : undefined;
}
