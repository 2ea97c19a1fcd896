import { TOPICS } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Blocked, ConsumeOptions, RouteBatch, SubmissionLog } from '@residency/routing';
import type { Kafka } from 'kafkajs';
import type { KafkaDiagnostics } from '../diagnostics.ts';
import { topicName } from '../topic-name.ts';
import { Consumption } from './consumption.ts';
import { EndOfLog } from './end-of-log.ts';
import { IntakeReads, partitionMissing } from './intake-reads.ts';
import { submissionLogOptions } from './options.ts';
import type { KafkaSubmissionLogOptions } from './options.ts';
import type { IntakeReadsDeps } from './intake-reads.ts';
import { StallWatch } from './stall-watch.ts';

export interface KafkaSubmissionLogDeps extends IntakeReadsDeps {
  readonly kafka: Kafka;
  readonly diagnostics: KafkaDiagnostics;
}

/**
 * The intake topic of a cluster, settled exactly once. Each assigned partition has a transactional
 * producer of its own, which fences every earlier owner when it opens. Audit events, quarantine
 * pointers and the group's position are committed in one transaction.
 */
export class KafkaSubmissionLog implements SubmissionLog {
  readonly #deps: KafkaSubmissionLogDeps;
  readonly #options: KafkaSubmissionLogOptions;

  constructor(deps: KafkaSubmissionLogDeps, options: Partial<KafkaSubmissionLogOptions> = {}) {
    this.#deps = deps;
    this.#options = submissionLogOptions(options);
  }

  async consume(route: RouteBatch, consume: ConsumeOptions): Promise<Blocked | undefined> {
    const reads = new IntakeReads(this.#deps);
    const quarantinePartitions = await this.#topics(reads);
    const end = consume.until === 'end' ? await EndOfLog.find(reads) : undefined;
    if (end?.reached === true || consume.signal.aborted) return undefined;
    const stalls = new StallWatch(reads, this.#options.stallMs);
    return await new Consumption({
      ...this.#deps,
      options: this.#options,
      reads,
      stalls,
      quarantinePartitions,
      route,
      consume,
      ...defined({ end }),
    }).run();
  }

  /** The number of the quarantine's partitions. Throws if a topic's settings do not fit. */
  async #topics(reads: IntakeReads): Promise<number> {
    const samples = await reads.partitions(TOPICS.samples);
    const audit = await reads.partitions(TOPICS.audit);
    const missing = samples.find((partition) => !audit.includes(partition));
    if (missing !== undefined)
      throw partitionMissing(topicName(this.#deps.settings.topicPrefix, TOPICS.audit), missing);
    return (await reads.partitions(TOPICS.quarantine)).length;
  }
}
