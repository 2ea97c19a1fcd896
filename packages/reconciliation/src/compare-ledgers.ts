import { TOPICS } from '@residency/contracts';
import type { LogRecord, TopicPartition } from '@residency/contracts';
import type { Checkpoint } from '@residency/ledger';
import { CappedList } from './capped-list.ts';
import type { Compared, Comparing } from './comparing.ts';
import { ComparingEvents } from './comparing-events.ts';
import { ComparingRecords } from './comparing-records.ts';
import { KeptComparison } from './kept-comparison.ts';
import { nameOf, ofLedger } from './ledger-difference.ts';
import type { LedgerDifference, ReportDifference } from './ledger-difference.ts';
import { OpenedLedger } from './opened-ledger.ts';
import type { LedgerView } from './opened-ledger.ts';
import type { Listed } from './report.ts';

export interface ComparedLedger extends TopicPartition, Compared {
  /** The origin in its checkpoint. */
  readonly origin: string;
  readonly size: number;
  /** The root hash, base64. */
  readonly root: string;
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

interface OneLog {
  readonly of: TopicPartition;
  readonly head: Checkpoint | undefined;
  readonly comparing: Comparing;
}

/**
 * Compares each record of the logs with its leaf, while auditors run. Checkpoints
 * are read before the records, so a ledger can be behind the records read, but never ahead.
 * `records`: from the start, in order within each partition. Rejects with a reader's error.
 */
export async function compareLedgers(
  records: AsyncIterable<LogRecord>,
  views: readonly LedgerView[],
  options: { readonly maxListed?: number } = {},
): Promise<LedgerComparison> {
  const differences = new CappedList<LedgerDifference>(options.maxListed ?? 1_000);
  const logs = new Map<string, OneLog>();
  for (const view of views)
    logs.set(
      nameOf(view.of),
      await begin(view, (difference) => {
        differences.add(difference);
      }),
    );
  const without = new Set<string>();
  for await (const record of records) {
    const log = logs.get(nameOf(record));
    if (log === undefined) without.add(nameOf(record));
    else await log.comparing.follow(record);
  }
  const ledgers: ComparedLedger[] = [];
  for (const { of, head, comparing } of logs.values()) {
    const compared = comparing.end();
    if (head === undefined) {
      if (compared.records > 0) without.add(nameOf(of));
      continue;
    }
    const { origin, size, root } = head;
    ledgers.push({
      topic: of.topic,
      partition: of.partition,
      origin,
      size,
      root: Buffer.from(root).toString('base64'),
      ...compared,
    });
  }
  return {
    ledgers,
    absent: [...without].sort(),
    differences: { total: differences.total, list: differences.items },
  };
}

const RECORD_LOGS: ReadonlySet<string> = new Set([TOPICS.policy, TOPICS.control, TOPICS.consents]);

async function begin(view: LedgerView, report: ReportDifference): Promise<OneLog> {
  const ledger = await OpenedLedger.open(view, report);
  const { of } = view;
  const before = view.successor === true ? [(await ledger?.leaf(0)) ?? new Uint8Array()] : [];
  const kept = KeptComparison.of(view.kept, (message) => {
    report(ofLedger(of, 'LEDGER_ROLLED_BACK', message));
  });
  for (const leaf of before) kept?.add(leaf);
  const Kind = RECORD_LOGS.has(of.topic) ? ComparingRecords : ComparingEvents;
  const first = before.length;
  return { of, head: ledger?.head, comparing: new Kind({ of, ledger, kept, first, report }) };
}
