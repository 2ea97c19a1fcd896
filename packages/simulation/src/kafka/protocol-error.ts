/**
 * An error as kafkajs throws it: the adapter tells them apart by `name`, `type` and `retriable`.
 */
export function protocolError(type: string, retriable = false): Error {
  return Object.assign(new Error(`simulated ${type}`), {
    name: type === 'OFFSET_OUT_OF_RANGE' ? 'KafkaJSOffsetOutOfRange' : 'KafkaJSProtocolError',
    type,
    retriable,
  });
}

/** No broker answered within the client's own attempts. */
export function noAnswer(): Error {
  return Object.assign(new Error('simulated: no answer'), {
    name: 'KafkaJSNumberOfRetriesExceeded',
    retriable: false,
    cause: Object.assign(new Error('simulated: connection lost'), {
      name: 'KafkaJSConnectionError',
      retriable: true,
    }),
  });
}

export function typeOf(error: unknown): string | undefined {
  return error instanceof Error && 'type' in error && typeof error.type === 'string'
    ? error.type
    : undefined;
}
