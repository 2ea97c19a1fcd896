import { createHash } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import { decodeAuditEvent, formatPosition } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import {
  CHECKPOINT_PATH,
  LEDGER_ERROR_CODES,
  LedgerReader,
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { Checkpoint, ReadLedgerFile, Trust } from '@residency/ledger';
import { CappedList } from './capped-list.ts';
import type { Listed } from './report.ts';

export const LEDGER_DIFFERENCE_CODES = [
  'LEDGER_LEAF_DIFFERS',
  'LEDGER_DIVERGES',
  'LEDGER_AHEAD',
  'LEDGER_DAMAGED',
] as const;
export type LedgerDifferenceCode = (typeof LEDGER_DIFFERENCE_CODES)[number];

/** One thing that ledger and audit log do not both say. `position`: of the intake record; of the audit record, or its partition, where there is none. `message` repeats no value found. */
export interface LedgerDifference {
  readonly code: LedgerDifferenceCode;
  readonly position: string;
  readonly message: string;
}

/** The ledger of one partition of the audit log. */
export interface LedgerView {
  readonly partition: number;
  readonly read: ReadLedgerFile;
  /** Absent: its checkpoint's signature is not looked at. */
  readonly trust?: Trust;
}

export interface ComparedLedger {
  readonly partition: number;
  /** As its checkpoint says. */
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  /** Leaves that were compared with their events. */
  readonly compared: number;
  /** Events behind the checkpoint: settled since, or the ledger lags. */
  readonly notYet: number;
}

export interface LedgerComparison {
  readonly ledgers: readonly ComparedLedger[];
  /** Partitions whose events no ledger was compared with: it has no checkpoint, or none that can be read. */
  readonly absent: readonly number[];
  readonly differences: Listed<LedgerDifference>;
}

/** Differing leaves listed of a partition, until it is only said that the two diverge: behind one event more or less every leaf differs. */
const MOST_DIFFERING = 16;

/**
 * Compares each record of the audit log with the leaf at its index, while auditors run: checkpoints are read before the records, so
 * a ledger can only be behind what is read, never ahead of it. `records`: each partition's in order, from its start. Rejects with
 * what a reader threw.
 */
export async function compareLedgers(
  records: AsyncIterable<Pick<LogRecord, 'partition' | 'offset' | 'value'>>,
  views: readonly LedgerView[],
  options: { readonly maxListed?: number } = {},
): Promise<LedgerComparison> {
  const differences = new CappedList<LedgerDifference>(options.maxListed ?? 1_000);
  const partitions = new Map<number, Comparing>();
  for (const view of views)
    partitions.set(
      view.partition,
      await Comparing.begin(view, (difference) => {
        differences.add(difference);
      }),
    );
  const without = new Set<number>();
  for await (const record of records) {
    const comparing = partitions.get(record.partition);
    if (comparing === undefined) without.add(record.partition);
    else await comparing.follow(record);
  }
  const ended = [...partitions.values()].map((comparing) => comparing.end());
  return {
    ledgers: ended.flatMap(({ ledger }) => (ledger === undefined ? [] : [ledger])),
    absent: [
      ...without,
      ...ended.flatMap(({ absent }) => (absent === undefined ? [] : [absent])),
    ].sort((a, b) => a - b),
    differences: { total: differences.total, list: differences.items },
  };
}

/** One partition while it is read. */
class Comparing {
  readonly #partition: number;
  readonly #head: Checkpoint | undefined;
  readonly #report: (difference: LedgerDifference) => void;
  #reader: LedgerReader | undefined;
  #index = 0;
  #compared = 0;
  #differing = 0;
  #bundle: readonly Uint8Array[] = [];

  private constructor(
    partition: number,
    opened: { readonly head: Checkpoint; readonly reader: LedgerReader | undefined } | undefined,
    report: (difference: LedgerDifference) => void,
  ) {
    this.#partition = partition;
    this.#head = opened?.head;
    this.#reader = opened?.reader;
    this.#report = report;
  }

  static async begin(
    { partition, read, trust }: LedgerView,
    report: (difference: LedgerDifference) => void,
  ): Promise<Comparing> {
    const bytes = await read(CHECKPOINT_PATH);
    if (bytes === undefined) return new Comparing(partition, undefined, report);
    try {
      const head =
        trust === undefined
          ? parseCheckpoint(parseNote(bytes).text)
          : (await openCheckpoint(bytes, trust)).checkpoint;
      return new Comparing(
        partition,
        { head, reader: await LedgerReader.open(head, read) },
        report,
      );
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      report(
        ofLedger(
          partition,
          'LEDGER_DAMAGED',
          `Expected a signed checkpoint and the tiles it speaks of, found that they are not (${codeOf(error)}); \`residency audit fsck\` names the file.`,
        ),
      );
      return new Comparing(partition, undefined, report);
    }
  }

  async follow({ offset, value }: Pick<LogRecord, 'offset' | 'value'>): Promise<void> {
    const index = this.#index;
    this.#index += 1;
    if (this.#reader === undefined || index >= this.#reader.head.size) return;
    const leaf = await this.#leaf(this.#reader, index);
    if (leaf === undefined) return;
    this.#compared += 1;
    if (Buffer.compare(leaf, leafOf(value)) === 0) return;
    this.#differing += 1;
    const place = { position: positionOf(value) ?? `residency.audit/${this.#partition}/${offset}` };
    if (this.#differing <= MOST_DIFFERING)
      this.#report({
        code: 'LEDGER_LEAF_DIFFERS',
        ...place,
        message: `Expected the event to be leaf ${index} of its partition's ledger, found another there; one of the two was altered.`,
      });
    if (this.#differing === MOST_DIFFERING) {
      this.#reader = undefined;
      this.#report({
        code: 'LEDGER_DIVERGES',
        ...place,
        message:
          'Expected ledger and audit log to say the same, found that they diverge; an event was added, left out or moved before. Compared no further.',
      });
    }
  }

  end(): { readonly ledger?: ComparedLedger; readonly absent?: number } {
    if (this.#head === undefined) return this.#index === 0 ? {} : { absent: this.#partition };
    const { origin, size, root } = this.#head;
    if (size > this.#index)
      this.#report(
        ofLedger(
          this.#partition,
          'LEDGER_AHEAD',
          `Expected the ledger to hold the audit log's events and nothing else, found ${size} leaves and ${this.#index} events; the log lost its end, or it is another log's ledger.`,
        ),
      );
    return {
      ledger: {
        partition: this.#partition,
        origin,
        size,
        root: Buffer.from(root).toString('base64'),
        compared: this.#compared,
        notYet: Math.max(0, this.#index - size),
      },
    };
  }

  async #leaf(reader: LedgerReader, index: number): Promise<Uint8Array | undefined> {
    try {
      if (index % TILE_WIDTH === 0) this.#bundle = await reader.entries(index / TILE_WIDTH);
      return this.#bundle[index % TILE_WIDTH];
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      this.#reader = undefined;
      this.#report(
        ofLedger(
          this.#partition,
          'LEDGER_DAMAGED',
          `Expected the ledger's files to be those of its checkpoint, found that they are not from leaf ${index} on (${codeOf(error)}); \`residency audit fsck\` names the file. Compared no further.`,
        ),
      );
      return undefined;
    }
  }
}

/** What `@residency/ledger` throws for bytes from outside; a store's own errors have other codes. */
function isOfLedger(error: unknown): boolean {
  return LEDGER_ERROR_CODES.some((code) => code === codeOf(error));
}

function ofLedger(
  partition: number,
  code: LedgerDifferenceCode,
  message: string,
): LedgerDifference {
  return { code, position: `residency.audit/${partition}`, message };
}

/** docs/formats/ledger.md "Order"; written anew, because the reconciler judges whoever wrote the ledger. */
function leafOf(value: Buffer | null): Uint8Array {
  if (value === null) return new Uint8Array();
  if (value.length <= MAX_ENTRY_BYTES) return value;
  return Buffer.from(
    `{"bytes":${value.length},"sha256":"${createHash('sha256').update(value).digest('hex')}"}`,
  );
}

function positionOf(value: Buffer | null): string | undefined {
  try {
    return value === null ? undefined : formatPosition(decodeAuditEvent(value).position);
  } catch {
    return undefined;
  }
}
