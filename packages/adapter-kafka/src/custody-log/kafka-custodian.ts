import type { CodedError } from '@residency/coded-error';
import { custodyTopic } from '@residency/contracts';
import type { CustodyTopic } from '@residency/contracts';
import type { CustodyLog } from '@residency/custodianship';
import type { Kafka } from 'kafkajs';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { GroupMember } from '../submission-log/group-member.ts';
import type { IntakeReads } from '../submission-log/intake-reads.ts';
import { ownershipUnsure } from '../submission-log/ownership-unsure.ts';
import { StallWatch } from '../submission-log/stall-watch.ts';
import { stayMember } from '../submission-log/stay-member.ts';
import type { Attendance } from '../submission-log/stay-member.ts';
import { custodianGroup, topicName } from '../topic-name.ts';
import type { custodianOptions } from './custodian-options.ts';
import { CustodianTerms } from './custodian-terms.ts';
import type { CustodianWork } from './custodian-terms.ts';
import type { CustodyOwner } from './kafka-custody-log.ts';

export interface KafkaCustodianDeps {
  readonly kafka: Kafka;
  readonly settings: Pick<KafkaSettings, 'topicPrefix'>;
  readonly reads: IntakeReads;
  readonly region: string;
  readonly options: ReturnType<typeof custodianOptions>;
  readonly open: (owner: CustodyOwner) => Promise<CustodyLog>;
  /**
   * Checks that the region's topic is the one whose id was recorded, and whole. Returns a check
   * that it still is the same.
   */
  readonly requireTopic: (topic: CustodyTopic) => Promise<() => Promise<void>>;
}

export interface LeadOptions {
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  /** Called with each failure before the custodian joins its group again. */
  readonly waits: (error: CodedError) => void;
}

/**
 * A custodian of a region. Of all that lead at the same time, one is active: the member of the
 * region's consumer group that has the custody topic's partition. The others wait.
 */
export class KafkaCustodian {
  readonly #deps: KafkaCustodianDeps;

  constructor(deps: KafkaCustodianDeps) {
    this.#deps = deps;
  }

  /**
   * Runs `work` whenever this custodian becomes the active one. The signal of `work` is aborted if
   * the partition is revoked or the process stops; `work` then ends soon, by itself, and runs again
   * if the partition comes back. The log is opened before `work` and closed after it.
   *
   * Resolves once `signal` is aborted, or once `work` ended without being told to. If Kafka or `work`
   * fails with remedy `retry`, it leaves, so that another custodian can take over, and joins again.
   * Rejects with any other error: `LOG_REPLACED` or `CUSTODY_TRIMMED` if the topic is not the one
   * that was written, or not all of it.
   */
  async lead(work: CustodianWork, { signal, waits }: LeadOptions): Promise<void> {
    const {
      kafka,
      region,
      options,
      settings: { topicPrefix },
    } = this.#deps;
    await stayMember({
      kafka,
      plan: {
        group: custodianGroup(topicPrefix, region),
        topic: topicName(topicPrefix, custodyTopic(region)),
        options,
      },
      backOff: options.backOff,
      stop: signal,
      attend: (member, over, steady) => this.#attend(work, { member, over, steady }),
      failed: waits,
    });
  }

  #attend(
    work: CustodianWork,
    {
      member,
      over,
      steady,
    }: {
      readonly member: GroupMember;
      readonly over: AbortSignal;
      readonly steady: () => void;
    },
  ): Attendance {
    const { reads, options } = this.#deps;
    const open = async (signal: AbortSignal): Promise<CustodyLog> => await this.#open(signal);
    const terms = new CustodianTerms({
      work: lasting(work, options.backOff.mostMs, steady),
      open,
      over,
    });
    return {
      events: {
        joined: (partitions) => {
          if (partitions.length > 0) terms.begin();
          else terms.lose();
        },
        rebalancing: () => {
          terms.lose();
        },
        // The partition stays paused: the group says who is active, and the log is read by itself.
        fetched: () => ({ taken: false, room: Promise.resolve() }),
        skipped: () => undefined,
      },
      watches: [terms.ended, new StallWatch(reads, options.stallMs).watch(member, () => [], over)],
      release: async () => {
        await terms.release();
      },
    };
  }

  async #open(signal: AbortSignal): Promise<CustodyLog> {
    const { region, options, open, requireTopic } = this.#deps;
    const requireSame = await requireTopic(custodyTopic(region));
    return await open({
      region,
      transactionTimeoutMs: options.transactionTimeoutMs,
      beforeCommit: async () => {
        await requireSame();
        if (signal.aborted) throw ownershipUnsure(0);
      },
    });
  }
}

/** `work`, with a call of `steady` at its end if it ran for `ms` milliseconds. */
function lasting(work: CustodianWork, ms: number, steady: () => void): CustodianWork {
  return async (log, signal) => {
    const since = performance.now();
    try {
      await work(log, signal);
    } finally {
      if (performance.now() - since >= ms) steady();
    }
  };
}
