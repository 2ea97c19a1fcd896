import { kindOf } from '../logs/kind-of.ts';
import { aheadOfLog } from './ahead-of-log.ts';
import type { LeafSource, LogLeaf } from './leaves-of.ts';
import { leavesBehind } from './leaves-behind.ts';
import type { SeenInLog } from './leaves-behind.ts';
import type { PublishedLedger } from './recover-ledger.ts';
import { TailSearch } from './tail-search.ts';

/**
 * The difference between T and the append time of an event, including the difference between two
 * brokers' clocks.
 */
const MARGIN_MS = 60_000;

/**
 * The leaves after a ledger's last one, as from `LeafSource.follow`. The leaves themselves show
 * where to continue: no offset is stored, so none can be wrong. Throws `LEDGER_AHEAD_OF_LOG` (stop)
 * if the log does not have the leaves. `seen`: of a compacted log, what became of them.
 */
export async function* newLeaves(
  source: LeafSource,
  { tail, head }: Pick<PublishedLedger, 'tail' | 'head'>,
  signal: AbortSignal,
  seen?: SeenInLog,
): AsyncGenerator<readonly LogLeaf[]> {
  if (tail.length === 0) {
    yield* source.follow({ leaf: 0, since: 0 }, signal);
    return;
  }
  if (kindOf(source.of.topic).compacted === true) {
    yield* leavesBehind(source, { tail, head }, signal, seen);
    return;
  }
  const leaf = head.size - tail.length;
  // Read from the log's beginning only if the times of the leaves were wrong: their writer may have
  // lied.
  for (const since of new Set([sinceOf(source, tail), 0])) {
    const search = new TailSearch(tail);
    let [found, searched] = [false, false];
    for await (const leaves of source.follow({ leaf, since }, signal)) {
      if (found) yield leaves;
      else if (leaves.length === 0) {
        searched = true;
        break;
      } else {
        const last = leaves.findIndex(({ bytes }) => search.next(bytes));
        found = last !== -1;
        if (found && last + 1 < leaves.length) yield leaves.slice(last + 1);
      }
    }
    // Aborted, so the end is unknown.
    if (!searched) return;
  }
  throw aheadOfLog(
    source.of,
    `the last ${tail.length} of ${head.size} leaves of its ledger in a row`,
  );
}

function sinceOf({ of }: LeafSource, tail: readonly Uint8Array[]): number {
  const times = tail.flatMap((leaf) => kindOf(of.topic).timeOf(leaf) ?? []);
  return times.length === 0 ? 0 : Math.max(0, Math.min(...times) - MARGIN_MS);
}
