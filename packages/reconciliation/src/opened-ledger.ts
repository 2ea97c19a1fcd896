import { codeOf } from '@residency/coded-error';
import type { TopicPartition } from '@residency/contracts';
import {
  CHECKPOINT_PATH,
  LEDGER_ERROR_CODES,
  LedgerReader,
  TILE_WIDTH,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { Checkpoint, ReadLedgerFile, Trust } from '@residency/ledger';
import { ofLedger } from './ledger-difference.ts';
import type { ReportDifference } from './ledger-difference.ts';

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

/** The leaves of a ledger, asked for in order. Damage is reported once, and ends them. */
export class OpenedLedger {
  readonly head: Checkpoint;
  readonly #of: TopicPartition;
  readonly #report: ReportDifference;
  #reader: LedgerReader | undefined;
  #bundle: { readonly index: number; readonly entries: readonly Uint8Array[] } | undefined;

  private constructor(
    of: TopicPartition,
    head: Checkpoint,
    reader: LedgerReader,
    report: ReportDifference,
  ) {
    this.#of = of;
    this.head = head;
    this.#reader = reader;
    this.#report = report;
  }

  /** `undefined`: there is no checkpoint, or none that can be read, which is reported. */
  static async open(
    { of, read, trust }: LedgerView,
    report: ReportDifference,
  ): Promise<OpenedLedger | undefined> {
    const bytes = await read(CHECKPOINT_PATH);
    if (bytes === undefined) return undefined;
    try {
      const head =
        trust === undefined
          ? parseCheckpoint(parseNote(bytes).text)
          : (await openCheckpoint(bytes, trust)).checkpoint;
      return new OpenedLedger(of, head, await LedgerReader.open(head, read), report);
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      report(
        ofLedger(
          of,
          'LEDGER_DAMAGED',
          `Expected a signed checkpoint and the tiles it speaks of, found that they are not (${codeOf(error)}); \`residency audit fsck\` names the file.`,
        ),
      );
      return undefined;
    }
  }

  /** `undefined`: the ledger is shorter, it is damaged, or `end` was called. */
  async leaf(index: number): Promise<Uint8Array | undefined> {
    const reader = this.#reader;
    if (reader === undefined || index >= reader.head.size) return undefined;
    try {
      const bundle = Math.floor(index / TILE_WIDTH);
      if (this.#bundle?.index !== bundle)
        this.#bundle = { index: bundle, entries: await reader.entries(bundle) };
      return this.#bundle.entries[index % TILE_WIDTH];
    } catch (error) {
      if (!isOfLedger(error)) throw error;
      this.end();
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

  /** False after damage or `end`. */
  get isOpen(): boolean {
    return this.#reader !== undefined;
  }

  end(): void {
    this.#reader = undefined;
  }
}

/** `@residency/ledger` throws these for invalid bytes; a store's own errors have other codes. */
function isOfLedger(error: unknown): boolean {
  return LEDGER_ERROR_CODES.some((code) => code === codeOf(error));
}
