import { KafkaLogError } from '../kafka-log-error.ts';

export function ownershipUnsure(partition: number, cause?: unknown): KafkaLogError {
  return new KafkaLogError({
    code: 'OWNERSHIP_UNSURE',
    remedy: 'retry',
    cause,
    message: `Expected the group to confirm partition ${partition} before its commit, found that it did not. The transaction was aborted; what it held comes again.`,
  });
}
