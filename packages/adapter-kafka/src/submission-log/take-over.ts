import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { pause } from '@residency/waiting';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { IntakeReads } from './intake-reads.ts';
import type { ProgressReader } from './progress-reader.ts';
import type { Progress } from './progress.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

const DECIDED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

export interface TakeOverDeps {
  readonly reads: Pick<IntakeReads, 'extent' | 'committed' | 'auditTail'>;
  readonly progress: Pick<ProgressReader, 'read'>;
  readonly diagnostics: KafkaDiagnostics;
  /** Returns a connected producer that has fenced its predecessors. */
  readonly open: () => Promise<TransactionalProducer>;
  /** The partition of a topic that this partition's transactions append to. */
  readonly target: (topic: Topic) => number;
}

export type DanglingDeps = Pick<TakeOverDeps, 'reads' | 'diagnostics' | 'target'>;

export interface Owned {
  readonly settler: Pick<TransactionalProducer, 'commit' | 'close'>;
  readonly progress: Progress;
}

/**
 * Takes a partition over: fences its earlier owners, ends their open transactions, and finds the
 * position at which they stopped.
 */
export async function takeOver(partition: number, deps: TakeOverDeps): Promise<Owned> {
  const producer = await deps.open();
  try {
    await abortDangling(partition, producer, deps);
    const found = await deps.progress.read(partition);
    if (found.differing !== undefined)
      reportDiffering(partition, { committed: found.differing, next: found.next }, deps);
    return { settler: producer, progress: found };
  } catch (error) {
    await producer.close();
    throw error;
  }
}

/**
 * After a fence none of our transactions is undecided, with one exception: a broker that was killed
 * while it ended a transaction forgot the marker in one partition (seen with Kafka 4.4.0). Readers
 * of that partition would wait for ever, and our next commit would commit the dangling records. So
 * they are aborted first. Their records are not in the audit log then, and are routed again.
 *
 * Before the abort the committed position is set back to the end of the audit log. A take-over that
 * fails after the abort therefore leaves nothing that looks like an audit log without its end.
 */
export async function abortDangling(
  partition: number,
  producer: TransactionalProducer,
  deps: DanglingDeps,
): Promise<void> {
  const { reads, target } = deps;
  const topics = [TOPICS.audit, TOPICS.quarantine];
  const undecided: Topic[] = [];
  for (const topic of topics) {
    const { end, decided } = await reads.extent(topic, target(topic));
    if (decided < end) undecided.push(topic);
  }
  if (undecided.length === 0) return;
  if (undecided.includes(TOPICS.audit)) await setBack(partition, producer, deps);
  await producer.abortWhatIsOpen(undecided);
  if (undecided.includes(TOPICS.audit)) await auditDecided(reads, target(TOPICS.audit));
}

/** Sets a committed position that is ahead of the audit log's decided part back to its end. */
async function setBack(
  partition: number,
  producer: TransactionalProducer,
  deps: DanglingDeps,
): Promise<void> {
  const { reads, target } = deps;
  const committed = (await reads.committed()).get(partition);
  const { last, trimmed } = await reads.auditTail(target(TOPICS.audit), { awaitOpen: false });
  // Without any event nothing says how far the trimmed ones reached.
  if (committed === undefined || (last === null && trimmed)) return;
  const next = last === null ? null : last + 1n;
  if (next !== null && committed <= next) return;
  reportDiffering(partition, { committed, next }, deps);
  await producer.setBack(next);
}

function reportDiffering(
  partition: number,
  { committed, next }: { readonly committed: bigint; readonly next: bigint | null },
  { diagnostics }: Pick<TakeOverDeps, 'diagnostics'>,
): void {
  diagnostics.warn(
    `The group's committed position ${committed} is not the one after the last audit event; going on with ${next === null ? "the log's first offset" : `offset ${next}`}, as the audit log says.`,
    { code: 'PROGRESS_DIFFERS', partition },
  );
}

async function auditDecided(reads: TakeOverDeps['reads'], partition: number): Promise<void> {
  const { end: goal } = await reads.extent(TOPICS.audit, partition);
  for (let waited = 0; waited < DECIDED_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const { decided } = await reads.extent(TOPICS.audit, partition);
    if (decided >= goal) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new KafkaLogError({
    code: 'AUDIT_UNDECIDED',
    remedy: 'retry',
    message: `Expected no open transaction in partition ${partition} of the audit log, found one that is not this partition's own. Readers of the audit log wait for it too: find it with kafka-transactions.sh find-hanging, and abort it.`,
  });
}
