import { CodedError, remedyOf } from '@residency/coded-error';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';

/**
 * Why a consumer ended, as a coded error. Unwraps a coded error that kafkajs wrapped. The general
 * code for a failure of Kafka becomes `retry`, because a new consumer is the remedy.
 */
export function crashReason(error: unknown): CodedError {
  const ours = codedCause(error);
  if (ours !== undefined) return ours;
  const explained = kafkaError(error);
  if (
    explained instanceof KafkaLogError &&
    (explained.code !== 'KAFKA_FAILED' || remedyOf(explained) === 'retry')
  )
    return explained;
  return new KafkaLogError({
    code: 'KAFKA_FAILED',
    remedy: 'retry',
    cause: error,
    message:
      "Expected the consumer to run, found that it ended. A new one is started; if this repeats, look at the brokers' logs.",
  });
}

function codedCause(error: unknown, depth = 0): CodedError | undefined {
  if (error instanceof CodedError) return error;
  return error instanceof Error && depth < 5 ? codedCause(error.cause, depth + 1) : undefined;
}
