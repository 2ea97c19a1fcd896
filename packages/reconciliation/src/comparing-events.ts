import { createHash } from 'node:crypto';
import { auditEventIn, custodyEventIn, formatPosition } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { MAX_ENTRY_BYTES } from '@residency/ledger';
import type { Compared, Comparing, ComparingDeps } from './comparing.ts';
import { nameOf, ofLedger } from './ledger-difference.ts';

/**
 * Most differing leaves listed for a partition. Beyond it, the report only says that the two
 * diverge: after one missing or additional event every leaf differs.
 */
const MOST_DIFFERING = 16;

/** The comparison of a log whose records are leaves by their place in it. */
export class ComparingEvents implements Comparing {
  readonly #deps: ComparingDeps;
  #index: number;
  #compared = 0;
  #differing = 0;

  constructor(deps: ComparingDeps) {
    this.#deps = deps;
    this.#index = deps.first;
  }

  async follow({ offset, value }: LogRecord): Promise<void> {
    const { of, ledger, kept, report } = this.#deps;
    const index = this.#index;
    this.#index += 1;
    const own = leafOf(value);
    kept?.add(own);
    const leaf = await ledger?.leaf(index);
    if (leaf === undefined) return;
    this.#compared += 1;
    if (Buffer.compare(leaf, own) === 0) return;
    this.#differing += 1;
    const place = { position: positionOf(value) ?? `${nameOf(of)}/${offset}` };
    if (this.#differing <= MOST_DIFFERING)
      report({
        code: 'LEDGER_LEAF_DIFFERS',
        ...place,
        message: `Expected the event to be leaf ${index} of its log's ledger, found another there; one of the two was altered.`,
      });
    if (this.#differing === MOST_DIFFERING) {
      ledger?.end();
      report({
        code: 'LEDGER_DIVERGES',
        ...place,
        message:
          'Expected ledger and log to say the same, found that they diverge; an event was added, left out or moved before. Compared no further.',
      });
    }
  }

  end(): Compared {
    const { of, ledger, kept, first, report } = this.#deps;
    kept?.end();
    const size = ledger?.head.size ?? 0;
    if (size > this.#index)
      report(
        ofLedger(
          of,
          'LEDGER_AHEAD',
          `Expected the ledger to hold its log's events and nothing else, found ${size} leaves and ${this.#index} events; the log lost its end, or it is another log's ledger.`,
        ),
      );
    return {
      records: this.#index - first,
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
