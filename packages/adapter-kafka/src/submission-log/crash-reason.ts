import { CodedError, remedyOf } from '@residency/coded-error';
import { kafkaError } from '../kafka-error.ts';
import { KafkaLogError } from '../kafka-log-error.ts';

/**
 * Why a consumer ended, as an error with a code. One of ours that kafkajs wrapped on its way is found again. A code that says no more than
 * that Kafka failed becomes `retry`: a new consumer is what it needs.
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
      "Expected the consumer to go on, found that it ended. It is made anew; if this repeats, look at the brokers' logs.",
  });
}

function codedCause(error: unknown, depth = 0): CodedError | undefined {
  if (error instanceof CodedError) return error;
  return error instanceof Error && depth < 5 ? codedCause(error.cause, depth + 1) : undefined;
}
