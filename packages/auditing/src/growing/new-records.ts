import type { AuditRecord } from '../audit-record.ts';
import { AuditingError } from '../auditing-error.ts';
import { kindOf } from '../logs/kind-of.ts';
import { logText } from '../logs/log-text.ts';
import type { LedgerSource } from '../ports/ledger-source.ts';
import { leafOf } from './leaf-of.ts';
import type { PublishedLedger } from './recover-ledger.ts';
import { TailSearch } from './tail-search.ts';

/**
 * The difference between T and the append time of an event, including the difference between two
 * brokers' clocks.
 */
const MARGIN_MS = 60_000;

/**
 * The records after a ledger's last leaf, as from `LedgerSource.follow`. The leaves themselves show
 * where to continue: no offset is stored, so none can be wrong. Throws `LEDGER_AHEAD_OF_LOG` (stop)
 * if the log does not have the leaves.
 */
export async function* newRecords(
  source: LedgerSource,
  { tail, head }: Pick<PublishedLedger, 'tail' | 'head'>,
  signal: AbortSignal,
): AsyncGenerator<readonly AuditRecord[]> {
  if (tail.length === 0) {
    yield* source.follow({ leaf: 0, since: 0 }, signal);
    return;
  }
  const leaf = head.size - tail.length;
  // Read from the log's beginning only if the times of the leaves were wrong: their writer may have
  // lied.
  for (const since of new Set([sinceOf(source, tail), 0])) {
    const search = new TailSearch(tail);
    let [found, searched] = [false, false];
    for await (const records of source.follow({ leaf, since }, signal)) {
      if (found) yield records;
      else if (records.length === 0) {
        searched = true;
        break;
      } else {
        const last = records.findIndex(({ value }) => search.next(leafOf(value)));
        found = last !== -1;
        if (found && last + 1 < records.length) yield records.slice(last + 1);
      }
    }
    // Aborted, so the end is unknown.
    if (!searched) return;
  }
  throw new AuditingError({
    code: 'LEDGER_AHEAD_OF_LOG',
    remedy: 'stop',
    message: `Expected the last ${tail.length} of ${head.size} leaves of its ledger in a row in ${logText(source.of)}, found otherwise: the log lost records or was replaced, or the ledger is another log's. Keep both, and find out which one is correct.`,
  });
}

function sinceOf({ of }: LedgerSource, tail: readonly Uint8Array[]): number {
  const times = tail.flatMap((leaf) => kindOf(of.topic).timeOf(leaf) ?? []);
  return times.length === 0 ? 0 : Math.max(0, Math.min(...times) - MARGIN_MS);
}
