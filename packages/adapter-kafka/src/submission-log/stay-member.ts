import { remedyOf } from '@residency/coded-error';
import type { CodedError } from '@residency/coded-error';
import { BackOff } from '@residency/routing';
import type { BackOffLimits } from '@residency/routing';
import { pause } from '@residency/waiting';
import type { Kafka } from 'kafkajs';
import { crashReason } from './crash-reason.ts';
import { GroupMember } from './group-member.ts';
import type { MemberEvents, MemberPlan } from './group-member.ts';

/** The work of one member of a group. */
export interface Attendance {
  readonly events: MemberEvents;
  /**
   * The first that resolves ends this member: with an error, another member joins after it, unless
   * its remedy is not `retry`; with `undefined`, none does.
   */
  readonly watches: readonly Promise<CodedError | undefined>[];
  /** Called before the member leaves. Resolves once its work has ended. */
  readonly release: () => Promise<void>;
}

export interface Membership {
  readonly kafka: Kafka;
  readonly plan: MemberPlan;
  readonly backOff: BackOffLimits;
  /** Aborted: the member leaves, and no other joins. */
  readonly stop: AbortSignal;
  /**
   * Called for each member before it joins. `over` is aborted once it ends, for any reason. Call
   * `steady` once it works: the next failure is then the first.
   */
  readonly attend: (member: GroupMember, over: AbortSignal, steady: () => void) => Attendance;
  /** Called with each failure after which another member joins. */
  readonly failed: (error: CodedError) => void;
}

/**
 * Keeps a member in a group until `stop` is aborted: a new one joins after each failure. Rejects
 * with the failure of a member that needs a person.
 */
export async function stayMember(membership: Membership): Promise<void> {
  const { stop, failed } = membership;
  const backOff = new BackOff(membership.backOff, Math.random);
  while (!stop.aborted) {
    const error = await oneMember(membership, () => {
      backOff.reset();
    });
    if (error === undefined) return;
    if (remedyOf(error) !== 'retry') throw error;
    failed(error);
    await pause(backOff.next(), stop);
  }
}

/** Resolves with the reason for its end; `undefined`: it was stopped. */
async function oneMember(
  { kafka, plan, stop, attend }: Membership,
  steady: () => void,
): Promise<CodedError | undefined> {
  const member = new GroupMember(kafka, plan);
  const over = new AbortController();
  const stopped = Promise.withResolvers<undefined>();
  const onStop = (): void => {
    stopped.resolve(undefined);
  };
  stop.addEventListener('abort', onStop, { once: true });
  const { events, watches, release } = attend(member, AbortSignal.any([over.signal, stop]), steady);
  try {
    const started = member.start(events).then(async () => await stopped.promise);
    return await Promise.race([
      stopped.promise,
      started.catch(crashReason),
      member.crashed.then(crashReason),
      ...watches,
    ]);
  } finally {
    over.abort();
    stop.removeEventListener('abort', onStop);
    try {
      await release();
    } finally {
      // Also if its work ended with an error: else it would keep its partitions.
      await member.close();
    }
  }
}
