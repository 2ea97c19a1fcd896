import type { Signer } from '@residency/ledger';
import type { AuditRecord } from '../audit-record.ts';
import { AuditingError } from '../auditing-error.ts';
import type { AuditSource } from '../ports/audit-source.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import type { EventWatch } from './event-watch.ts';
import { leafOf } from './leaf-of.ts';
import { LedgerWriter } from './ledger-writer.ts';
import { newRecords } from './new-records.ts';
import { recoverLedger } from './recover-ledger.ts';

export interface LedgerProgress {
  /** Leaves of the published checkpoint. */
  readonly published: number;
  /** Leaves read so far. */
  readonly size: number;
  /** Everything that stood in the log when it was last asked is under the checkpoint. */
  readonly current: boolean;
}

export interface GrowTerms {
  readonly source: AuditSource;
  readonly store: LedgerStore;
  /** Its key's name is the ledger's origin (`ledgerOrigin`). */
  readonly signer: Signer;
  readonly watch: EventWatch;
  /** A checkpoint at most every so often, milliseconds; but at the end of what is there in any case, where `until` is `end`. */
  readonly intervalMs: number;
  /** Any clock that never goes back, milliseconds. */
  readonly now: () => number;
  /** `end`: until everything that stands in the log at the call is under a checkpoint. `aborted`: until `signal` is. */
  readonly until: 'end' | 'aborted';
  readonly signal: AbortSignal;
  readonly progress?: (progress: LedgerProgress) => void;
}

/** Leaves appended at a time: what is held besides a batch of the source is their files. */
const MOST_AT_ONCE = 1_024;

/**
 * Grows one partition's ledger: recovers what is published, reads on behind its last leaf, appends, and publishes checkpoints. Returns where `signal` was aborted, at any
 * point: nothing is lost. Rejects with remedy `retry` for what may pass, and then may be called again; with `stop` for what needs a person. Then nothing that
 * contradicts what was signed has been signed.
 */
export async function growLedger(terms: GrowTerms): Promise<void> {
  const { source, store, signer, watch, now, until, intervalMs, signal } = terms;
  const place = { store, partition: source.partition, origin: signer.key.name };
  const published = await recoverLedger(place, signer.key);
  const writer = new LedgerWriter(place, signer, published);
  watch.begin(published.tail, published.head.size);
  tell(terms, writer, false);
  let last = -Infinity;
  for await (const records of newRecords(source, published, signal)) {
    if (signal.aborted) return;
    await append(writer, watch, records);
    const ended = records.length === 0;
    if (ended) demandDecided(writer, source.partition);
    const due = now() - last >= intervalMs || (ended && until === 'end');
    if (due && writer.room === Infinity && writer.size > writer.published) {
      await writer.publish();
      last = now();
    }
    tell(terms, writer, ended);
    if (ended && until === 'end') return;
  }
}

async function append(
  writer: LedgerWriter,
  watch: EventWatch,
  records: readonly AuditRecord[],
): Promise<void> {
  for (let from = 0; from < records.length;) {
    const part = records.slice(from, from + Math.min(MOST_AT_ONCE, writer.room));
    const first = writer.size;
    await writer.append(part.map(({ value }) => leafOf(value)));
    for (const [at, record] of part.entries()) watch.follow(record, first + at);
    from += part.length;
    if (writer.room === 0) await writer.publish();
  }
}

/** A head that was decided counts leaves that the log must have. */
function demandDecided({ room, size }: LedgerWriter, partition: number): void {
  if (room === Infinity) return;
  throw new AuditingError({
    code: 'HEAD_AHEAD_OF_LOG',
    remedy: 'retry',
    message: `Expected partition ${partition} of the audit log to have the ${size + room} records that a head decided before counts, found ${size}. It is read again; if this lasts, the log lost its end: keep ledger and log, and find out.`,
  });
}

function tell({ progress }: GrowTerms, { published, size }: LedgerWriter, ended: boolean): void {
  progress?.({ published, size, current: ended && published === size });
}
