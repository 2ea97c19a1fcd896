import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { isUndecided, untilDecided } from './decided.ts';
import type { IntakeReads } from './intake-reads.ts';
import type { ProgressReader } from './progress-reader.ts';
import type { Progress } from './progress.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

export interface TakeOverDeps {
  readonly reads: Pick<IntakeReads, 'extent' | 'auditTail' | 'openPointer'>;
  readonly progress: Pick<ProgressReader, 'read'>;
  readonly diagnostics: KafkaDiagnostics;
  /** Returns a connected producer that has fenced its predecessors. */
  readonly open: () => Promise<TransactionalProducer>;
  /** See `KafkaSubmissionLogOptions.fenced`. */
  readonly fenced?: (() => Promise<void>) | undefined;
  /** The partition of a topic that this partition's transactions append to. */
  readonly target: (topic: Topic) => number;
}

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
    await endDangling(partition, producer, deps);
    await deps.fenced?.();
    const found = await deps.progress.read(partition);
    if (found.differing !== undefined) {
      deps.diagnostics.warn(
        `The group's committed position ${found.differing} is not the one after the last audit event; going on with offset ${found.next}, as the audit log says.`,
        { code: 'PROGRESS_DIFFERS', partition },
      );
    }
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
 * the dangling transaction is ended first, as the audit log says: its events are there or not.
 */
export async function endDangling(
  partition: number,
  producer: Pick<TransactionalProducer, 'abortWhatIsOpen' | 'commitOpenPointers'>,
  { reads, target }: Pick<TakeOverDeps, 'reads' | 'target'>,
): Promise<void> {
  const pointers = await isUndecided(reads, TOPICS.quarantine, target(TOPICS.quarantine));
  if (await isUndecided(reads, TOPICS.audit, target(TOPICS.audit))) {
    // The records of these events are routed again.
    await producer.abortWhatIsOpen([TOPICS.audit, ...(pointers ? [TOPICS.quarantine] : [])]);
    if (!(await untilDecided(reads, TOPICS.audit, target(TOPICS.audit))))
      throw auditUndecided(target(TOPICS.audit));
    return;
  }
  if (!pointers) return;
  const pointer = await reads.openPointer(partition, target(TOPICS.quarantine));
  if (pointer === undefined) return;
  const { last } = await reads.auditTail(target(TOPICS.audit), { awaitOpen: false });
  if (last !== null && pointer.about <= last) await producer.commitOpenPointers(pointer.record);
  else await producer.abortWhatIsOpen([TOPICS.quarantine]);
}

function auditUndecided(partition: number): KafkaLogError {
  return new KafkaLogError({
    code: 'AUDIT_UNDECIDED',
    remedy: 'retry',
    message: `Expected no open transaction in partition ${partition} of the audit log, found one that is not this partition's own. Readers of the audit log wait for it too: find it with kafka-transactions.sh find-hanging, and abort it.`,
  });
}
