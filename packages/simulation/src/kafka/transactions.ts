import type { Scheduler } from '../scheduler.ts';
import type { Random } from '../random.ts';
import type { PartitionLog } from './partition-log.ts';
import { protocolError } from './protocol-error.ts';

interface Transaction {
  readonly producerId: number;
  epoch: number;
  state: 'empty' | 'ongoing' | 'ending';
  readonly partitions: Set<PartitionLog>;
  /** Offsets to be committed with it: group's key to offset. */
  readonly offsets: Map<string, number>;
  readonly timeoutMs: number;
  begun: number;
}

export interface TransactionDeps {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly clockOf: (log: PartitionLog) => number;
  /** Group offsets become visible. */
  readonly commitOffsets: (offsets: ReadonlyMap<string, number>) => void;
  /** Told of each marker a dying broker forgot. */
  readonly lost: (log: PartitionLog | undefined) => void;
}

/**
 * The transaction coordinator: producer ids, epochs, fences, and markers that are written after the
 * end was answered.
 */
export class Transactions {
  readonly #deps: TransactionDeps;
  readonly #known = new Map<string, Transaction>();
  #ids = 0;
  /** How many of the next markers a dying broker forgets. */
  markersToLose = 0;
  /** Added to the writing of markers, milliseconds. */
  markerDelayMs = 0;

  constructor(deps: TransactionDeps) {
    this.#deps = deps;
  }

  /** `undefined`: an earlier transaction of this id is still being ended; ask again. */
  init(
    id: string,
    timeoutMs: number,
  ): { readonly producerId: number; readonly epoch: number } | undefined {
    let found = this.#known.get(id);
    if (found === undefined) {
      this.#ids += 1;
      found = {
        producerId: this.#ids,
        epoch: -1,
        state: 'empty',
        partitions: new Set(),
        offsets: new Map(),
        timeoutMs,
        begun: 0,
      };
      this.#known.set(id, found);
    }
    if (found.state === 'ending') return undefined;
    found.epoch += 1;
    if (found.state === 'ongoing') {
      this.#end(found, 'abort');
      return undefined;
    }
    return { producerId: found.producerId, epoch: found.epoch };
  }

  /** AddPartitionsToTxn. Throws where the epoch is not the last one's. */
  add(id: string, epoch: number, log: PartitionLog): void {
    this.#ongoing(id, epoch).partitions.add(log);
  }

  /** AddOffsetsToTxn and TxnOffsetCommit. */
  addOffset(id: string, epoch: number, key: string, offset: number): void {
    this.#ongoing(id, epoch).offsets.set(key, offset);
  }

  /** EndTxn; answered once the end is decided, markers follow. */
  end(id: string, epoch: number, how: 'commit' | 'abort'): void {
    const found = this.#fenced(id, epoch);
    if (found.state === 'ending') throw protocolError('CONCURRENT_TRANSACTIONS', true);
    if (found.state === 'empty') {
      if (how === 'commit') throw protocolError('INVALID_TXN_STATE');
      return;
    }
    this.#end(found, how);
  }

  get undecided(): number {
    return [...this.#known.values()].filter(({ state }) => state !== 'empty').length;
  }

  #ongoing(id: string, epoch: number): Transaction {
    const found = this.#fenced(id, epoch);
    if (found.state === 'ending') throw protocolError('CONCURRENT_TRANSACTIONS', true);
    if (found.state === 'empty') {
      found.state = 'ongoing';
      const begun = (found.begun += 1);
      this.#deps.scheduler.after(found.timeoutMs, undefined, 'kafka transaction time-out', () => {
        if (found.state !== 'ongoing' || found.begun !== begun) return;
        found.epoch += 1;
        this.#end(found, 'abort');
      });
    }
    return found;
  }

  #fenced(id: string, epoch: number): Transaction {
    const found = this.#known.get(id);
    if (found === undefined) throw protocolError('INVALID_PRODUCER_ID_MAPPING');
    if (found.epoch !== epoch) throw protocolError('PRODUCER_FENCED');
    return found;
  }

  #end(transaction: Transaction, how: 'commit' | 'abort'): void {
    const { scheduler, random, clockOf, commitOffsets, lost } = this.#deps;
    transaction.state = 'ending';
    const { producerId, epoch } = transaction;
    const offsets = new Map(transaction.offsets);
    const logs = [...transaction.partitions];
    transaction.partitions.clear();
    transaction.offsets.clear();
    let left = logs.length + 1;
    const one = (what: string, run: () => void, log?: PartitionLog): void => {
      scheduler.after(
        random.between(0.2, 5) + random.next() * this.markerDelayMs,
        undefined,
        what,
        () => {
          if (this.markersToLose > 0) {
            this.markersToLose -= 1;
            lost(log);
          } else {
            run();
          }
          left -= 1;
          if (left === 0) transaction.state = 'empty';
        },
      );
    };
    for (const log of logs)
      one(
        `kafka ${how} marker on ${log.topic}/${log.partition}`,
        () => {
          log.mark(producerId, epoch, how, clockOf(log));
        },
        log,
      );
    one(`kafka ${how} of group offsets`, () => {
      if (how === 'commit') commitOffsets(offsets);
    });
  }
}
