import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import { pause } from '../reading/pause.ts';
import type { IntakeReads } from './intake-reads.ts';
import type { ProgressReader } from './progress-reader.ts';
import type { Progress } from './progress.ts';
import type { TransactionalProducer } from './transactional-producer.ts';

const DECIDED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 50;

export interface TakeOverDeps {
  readonly reads: Pick<IntakeReads, 'extent'>;
  readonly progress: Pick<ProgressReader, 'read'>;
  readonly diagnostics: KafkaDiagnostics;
  /** Connected and fenced. */
  readonly open: () => Promise<TransactionalProducer>;
  /** The partition of a topic that this partition's transactions append to. */
  readonly target: (topic: Topic) => number;
}

export interface Owned {
  readonly settler: Pick<TransactionalProducer, 'commit' | 'close'>;
  readonly progress: Progress;
}

/** Makes a partition ours: fences its earlier owners, ends what they left, and finds where they stopped. */
export async function takeOver(
  partition: number,
  { reads, progress, diagnostics, open, target }: TakeOverDeps,
): Promise<Owned> {
  const producer = await open();
  try {
    const swept = await sweep(producer, reads, target);
    const found = await progress.read(partition, swept);
    if (found.differing !== undefined) {
      diagnostics.warn(
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
 * A fence leaves nothing of ours undecided, except where a broker forgot a transaction's marker in one of its partitions (seen with Kafka
 * 4.4.0, killed while it ended one): readers of that partition would wait for ever, and our next commit would decide it, as committed.
 * So it is aborted first; what was in it is not in the audit log then, and comes again.
 */
async function sweep(
  producer: TransactionalProducer,
  reads: TakeOverDeps['reads'],
  target: TakeOverDeps['target'],
): Promise<boolean> {
  const topics = [TOPICS.audit, TOPICS.quarantine];
  const undecided: Topic[] = [];
  for (const topic of topics) {
    const { end, decided } = await reads.extent(topic, target(topic));
    if (decided < end) undecided.push(topic);
  }
  if (undecided.length === 0) return false;
  await producer.abortWhatIsOpen(undecided);
  if (undecided.includes(TOPICS.audit)) await auditDecided(reads, target(TOPICS.audit));
  return true;
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
