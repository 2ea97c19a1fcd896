import { submissionLogOptions } from '../submission-log/options.ts';
import type { KafkaSubmissionLogOptions } from '../submission-log/options.ts';

/** Like a router's. `backOff`: before a custodian joins again after a failure. */
export type KafkaCustodianOptions = Pick<
  KafkaSubmissionLogOptions,
  'sessionTimeoutMs' | 'transactionTimeoutMs' | 'heartbeatIntervalMs' | 'stallMs' | 'backOff'
>;

/** With the defaults of a router. Throws a `RangeError` if the timeouts do not fit together. */
export function custodianOptions(
  given: Partial<KafkaCustodianOptions>,
): KafkaCustodianOptions & Pick<KafkaSubmissionLogOptions, 'maxBatchBytes'> {
  return submissionLogOptions(given);
}
