import { TOPICS, digestLeaf, hasTickKey, offsetOfLeaf, recordForm } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { MAX_ENTRY_BYTES } from '@residency/ledger';
import type { Compared, Comparing, ComparingDeps } from './comparing.ts';
import { nameOf, ofLedger } from './ledger-difference.ts';
import type { LedgerDifferenceCode } from './ledger-difference.ts';
import { RecentKeys } from './recent-keys.ts';

/**
 * The comparison of a compacted log, whose leaves name the offsets of their records: what is gone
 * from the log is found by itself, and the rest is compared on.
 */
export class ComparingRecords implements Comparing {
  readonly #deps: ComparingDeps;
  readonly #keys = new RecentKeys();
  #index: number;
  #records = 0;
  #compared = 0;
  #notYet = 0;

  constructor(deps: ComparingDeps) {
    this.#deps = deps;
    this.#index = deps.first;
  }

  async follow(record: LogRecord): Promise<void> {
    if (hasTickKey(record)) return;
    const { ledger, kept } = this.#deps;
    this.#records += 1;
    if (record.key !== null && this.#keys.repeats(record.key))
      this.#found(
        'REPEATED_KEY',
        record.offset,
        'Expected a key of its own, found that of an earlier record: compaction removes the earlier one. Correct the publisher.',
      );
    for (;;) {
      const leaf = await ledger?.leaf(this.#index);
      if (leaf === undefined) {
        if (ledger?.isOpen !== false) this.#notYet += 1;
        kept?.add(leafOf(record));
        return;
      }
      const offset = offsetOfLeaf(leaf);
      if (offset !== undefined && offset > record.offset) {
        this.#found(
          'LEDGER_RECORD_ADDED',
          record.offset,
          `Expected the record to be a leaf before leaf ${this.#index} of its log's ledger, found that it is none: it was added to the log afterwards.`,
        );
        return;
      }
      const index = this.#index;
      this.#index += 1;
      if (offset === record.offset) {
        const own = leafOf(record);
        this.#compared += 1;
        kept?.add(own);
        if (Buffer.compare(leaf, own) !== 0)
          this.#found(
            'LEDGER_LEAF_DIFFERS',
            record.offset,
            `Expected the record to be leaf ${index} of its log's ledger, found another there; one of the two was altered.`,
          );
        return;
      }
      this.#gone(offset, index);
      kept?.add(leaf);
    }
  }

  end(): Compared {
    const { of, ledger, kept, report } = this.#deps;
    kept?.end();
    const size = ledger?.head.size ?? 0;
    // Of a damaged one nothing more was compared.
    if (ledger?.isOpen === true && size > this.#index)
      report(
        ofLedger(
          of,
          'LEDGER_AHEAD',
          `Expected the log to go on to the record of leaf ${size - 1} of its ledger, found its end before leaf ${this.#index}; the log lost its end, or it is another log's ledger.`,
        ),
      );
    return {
      records: this.#records,
      compared: this.#compared,
      notYet: this.#notYet,
    };
  }

  #gone(offset: bigint | undefined, index: number): void {
    if (offset === undefined)
      this.#deps.report(
        ofLedger(
          this.#deps.of,
          'LEDGER_LEAF_DIFFERS',
          `Expected leaf ${index} to be that of a record, found something else; it is another log's ledger.`,
        ),
      );
    else
      this.#found(
        'LEDGER_RECORD_MISSING',
        offset,
        `Expected the record of leaf ${index} of the ledger, found that the log no longer has it: another record had its key, or it was removed.`,
      );
  }

  #found(code: LedgerDifferenceCode, offset: bigint, message: string): void {
    this.#deps.report({ code, position: `${nameOf(this.#deps.of)}/${offset}`, message });
  }
}

/**
 * docs/formats/record-leaf.md. A second implementation, because the reconciler checks the writer of
 * the ledger.
 */
function leafOf(record: LogRecord): Uint8Array {
  if (record.topic !== TOPICS.policy) return digestLeaf(record);
  const form = recordForm(record);
  return form.length <= MAX_ENTRY_BYTES ? form : digestLeaf(record);
}
