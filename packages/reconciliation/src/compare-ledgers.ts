import { createHash } from 'node:crypto';
import { codeOf } from '@residency/coded-error';
import { auditEventIn, custodyEventIn, formatPosition } from '@residency/contracts';
import type { LogRecord, TopicPartition } from '@residency/contracts';
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
import { KeptComparison } from './kept-comparison.ts';
import type { Listed } from './report.ts';

export const LEDGER_DIFFERENCE_CODES = [
  'LEDGER_LEAF_DIFFERS',
  'LEDGER_DIVERGES',
  'LEDGER_AHEAD',
  'LEDGER_DAMAGED',
  'LEDGER_ROLLED_BACK',
  'LEDGER_KEY_LOST',
] as const;
export type LedgerDifferenceCode = (typeof LEDGER_DIFFERENCE_CODES)[number];

/**
 * A difference between a ledger and its log. `position`: of the intake record that the event is
 * about; if there is none, of the record or its partition. `message` repeats no value from outside.
 */
export interface LedgerDifference {
  readonly code: LedgerDifferenceCode;
  readonly position: string;
  readonly message: string;
}

/** The ledger of one log. */
export interface LedgerView {
  readonly of: TopicPartition;
  readonly read: ReadLedgerFile;
  /** Absent: the checkpoint's signature is not verified. */
  readonly trust?: Trust;
  /** The ledger's checkpoint from the separate place, read before the records. */
  readonly kept?: Uint8Array;
  /** `true`: the first leaf is the last checkpoint of the ledger before this one, not an event. */
  readonly successor?: boolean;
}

export interface ComparedLedger extends TopicPartition {
  /** The origin in its checkpoint. */
  readonly origin: string;
  readonly size: number;
  /** The root hash, base64. */
  readonly root: string;
  /** Leaves that were compared with their events. */
  readonly compared: number;
  /** Events behind the checkpoint: they were settled after it, or the ledger lags. */
  readonly notYet: number;
}

export interface LedgerComparison {
  readonly ledgers: readonly ComparedLedger[];
  /**
   * Logs without a comparison, as `<topic>/<partition>`: the ledger has no checkpoint, or none that
   * can be read.
   */
  readonly absent: readonly string[];
  readonly differences: Listed<LedgerDifference>;
}

/**
 * Most differing leaves listed for a partition. Beyond it, the report only says that the two
 * diverge: after one missing or additional event every leaf differs.
 */
const MOST_DIFFERING = 16;

/**
 * Compares each record of the logs with the leaf at its index, while auditors run. Checkpoints
 * are read before the records, so a ledger can be behind the records read, but never ahead.
 * `records`: from the start, in order within each partition. Rejects with a reader's error.
 */
export async function compareLedgers(
  records: AsyncIterable<Pick<LogRecord, 'topic' | 'partition' | 'offset' | 'value'>>,
  views: readonly LedgerView[],
  options: { readonly maxListed?: number } = {},
): Promise<LedgerComparison> {
  const differences = new CappedList<LedgerDifference>(options.maxListed ?? 1_000);
  const logs = new Map<string, Comparing>();
  for (const view of views)
    logs.set(
      nameOf(view.of),
      await Comparing.begin(view, (difference) => {
        differences.add(difference);
      }),
    );
  const without = new Set<string>();
  for await (const record of records) {
    const comparing = logs.get(nameOf(record));
    if (comparing === undefined) without.add(nameOf(record));
    else await comparing.follow(record);
  }
  const ended = [...logs.values()].map((comparing) => comparing.end());
  return {
    ledgers: ended.flatMap(({ ledger }) => (ledger === undefined ? [] : [ledger])),
    absent: [
      ...without,
      ...ended.flatMap(({ absent }) => (absent === undefined ? [] : [absent])),
    ].sort(),
    differences: { total: differences.total, list: differences.items },
  };
}

/** The comparison of one log. */
class Comparing {
  readonly #of: TopicPartition;
  readonly #head: Checkpoint | undefined;
  readonly #report: (difference: LedgerDifference) => void;
  #reader: LedgerReader | undefined;
  /** The index of the first event's leaf. */
  readonly #first: number;
  #index: number;
  #compared = 0;
  #differing = 0;
  #bundle: readonly Uint8Array[] = [];
  readonly #kept: KeptComparison | undefined;

  private constructor(
    { of, kept, successor }: LedgerView,
    opened: { readonly head: Checkpoint; readonly reader: LedgerReader | undefined } | undefined,
    report: (difference: LedgerDifference) => void,
  ) {
    this.#of = of;
    this.#kept =
      kept === undefined
        ? undefined
        : new KeptComparison(kept, (message) => {
            report(ofLedger(of, 'LEDGER_ROLLED_BACK', message));
          });
    this.#first = successor === true ? 1 : 0;
    this.#index = this.#first;
    this.#head = opened?.head;
    this.#reader = opened?.reader;
    this.#report = report;
  }

  static async begin(
    view: LedgerView,
    report: (difference: LedgerDifference) => void,
  ): Promise<Comparing> {
    const { of, read, trust } = view;
    const bytes = await read(CHECKPOINT_PATH);
    if (bytes === undefined) return new Comparing(view, undefined, report);
    try {
      const head =
        trust === undefined
          ? parseCheckpoint(parseNote(bytes).text)
          : (await openCheckpoint(bytes, trust)).checkpoint;
      const reader = await LedgerReader.open(head, read);
      const comparing = new Comparing(view, { head, reader }, report);
      if (view.successor === true)
        comparing.#kept?.add((await reader.entries(0))[0] ?? new Uint8Array());
      return comparing;
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      report(
        ofLedger(
          of,
          'LEDGER_DAMAGED',
          `Expected a signed checkpoint and the tiles it speaks of, found that they are not (${codeOf(error)}); \`residency audit fsck\` names the file.`,
        ),
      );
      return new Comparing(view, undefined, report);
    }
  }

  async follow({ offset, value }: Pick<LogRecord, 'offset' | 'value'>): Promise<void> {
    const index = this.#index;
    this.#index += 1;
    this.#kept?.add(leafOf(value));
    if (this.#reader === undefined || index >= this.#reader.head.size) return;
    const leaf = await this.#leaf(this.#reader, index);
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
      this.#reader = undefined;
      this.#report({
        code: 'LEDGER_DIVERGES',
        ...place,
        message:
          'Expected ledger and log to say the same, found that they diverge; an event was added, left out or moved before. Compared no further.',
      });
    }
  }

  end(): { readonly ledger?: ComparedLedger; readonly absent?: string } {
    this.#kept?.end();
    if (this.#head === undefined)
      return this.#index === this.#first ? {} : { absent: nameOf(this.#of) };
    const { origin, size, root } = this.#head;
    if (size > this.#index)
      this.#report(
        ofLedger(
          this.#of,
          'LEDGER_AHEAD',
          `Expected the ledger to hold its log's events and nothing else, found ${size} leaves and ${this.#index} events; the log lost its end, or it is another log's ledger.`,
        ),
      );
    return {
      ledger: {
        topic: this.#of.topic,
        partition: this.#of.partition,
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
      if (index % TILE_WIDTH === 0 || this.#bundle.length === 0)
        this.#bundle = await reader.entries(Math.floor(index / TILE_WIDTH));
      return this.#bundle[index % TILE_WIDTH];
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      this.#reader = undefined;
      this.#report(
        ofLedger(
          this.#of,
          'LEDGER_DAMAGED',
          `Expected the ledger's files to be those of its checkpoint, found that they are not from leaf ${index} on (${codeOf(error)}); \`residency audit fsck\` names the file. Compared no further.`,
        ),
      );
      return undefined;
    }
  }
}

/** `@residency/ledger` throws these for invalid bytes; a store's own errors have other codes. */
function isOfLedger(error: unknown): boolean {
  return LEDGER_ERROR_CODES.some((code) => code === codeOf(error));
}

function nameOf({ topic, partition }: Pick<LogRecord, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}

function ofLedger(
  of: TopicPartition,
  code: LedgerDifferenceCode,
  message: string,
): LedgerDifference {
  return { code, position: nameOf(of), message };
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
