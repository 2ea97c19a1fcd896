import type { KafkaCustodianOptions, KafkaLog } from '@residency/adapter-kafka';
import { registerTopics } from '@residency/custodianship';
import { retryUntilReady } from '@residency/waiting';
import { keepCustody } from './keep-custody.ts';
import type { KeptRegister } from './register-keeping.ts';
import type { KeepCustodyDeps } from './keep-custody.ts';

export interface LeadCustodyDeps extends Omit<
  KeepCustodyDeps,
  'custody' | 'audit' | 'outcomes' | 'policies' | 'register'
> {
  readonly log: Pick<
    KafkaLog,
    'auditFeed' | 'custodian' | 'policyView' | 'settledOutcomes' | 'topicId'
  >;
  /** Where the register is kept; absent: nowhere. */
  readonly register?: Omit<KeptRegister, 'topics'>;
  readonly region: string;
  /** Timeouts and back-off; absent: the defaults. */
  readonly options?: Partial<KafkaCustodianOptions>;
  /**
   * Called with each failure before it is tried again, and with `undefined` once it may lead and
   * when it leads.
   */
  readonly waits: (error: unknown) => void;
}

/**
 * Keeps the custody of a region whenever this process is its active custodian. Resolves once
 * `signal` is aborted. Rejects as `KafkaCustodian.lead`.
 */
export async function leadCustody({
  log,
  region,
  options,
  waits,
  register,
  ...deps
}: LeadCustodyDeps): Promise<void> {
  const { signal } = deps;
  // One view for all terms, read before the first: a term with a view of its own would end with
  // VIEW_NOT_READ whenever the custody log is read sooner, and so would the next one.
  const policies = log.policyView();
  await retryUntilReady(() => policies.read(), { signal, waits });
  waits(undefined);
  await log.custodian(region, options).lead(
    async (custody, leading) => {
      waits(undefined);
      await keepCustody({
        ...deps,
        custody,
        audit: log.auditFeed(),
        outcomes: log.settledOutcomes(),
        policies,
        signal: leading,
        ...(register === undefined
          ? {}
          : {
              register: {
                ...register,
                topics: await registerTopics(region, (topic) => log.topicId(topic)),
              },
            }),
      });
    },
    { signal, waits },
  );
}
