import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { defined } from '@residency/defined';
import { kafkaError, mayPass } from '../src/kafka-error.ts';
import { KafkaLogError } from '../src/kafka-log-error.ts';

// Their types know neither all of their arguments nor the fields that are read.
type Thrown = new (...values: unknown[]) => Error;
const {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
} = kafkajs as unknown as Record<
  | 'KafkaJSAggregateError'
  | 'KafkaJSConnectionError'
  | 'KafkaJSError'
  | 'KafkaJSNonRetriableError'
  | 'KafkaJSNumberOfRetriesExceeded'
  | 'KafkaJSProtocolError'
  | 'KafkaJSRequestTimeoutError'
  | 'KafkaJSSASLAuthenticationError',
  Thrown
>;

interface Protocol {
  readonly type: string;
  readonly retriable: boolean;
}
const protocol = ({ type, retriable }: Protocol): Error =>
  new KafkaJSProtocolError(
    Object.assign(new Error('as the broker says'), { type, retriable, code: 1 }),
  );
const exceeded = (cause: Error): Error =>
  new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 8, retryTime: 100 });
const connection = (code?: string): Error =>
  new KafkaJSConnectionError('Connection error', {
    broker: 'b:1',
    ...defined({ code }),
  });

describe('an error of kafkajs', () => {
  it.each<[string, unknown, string, string]>([
    ['a refused connection', exceeded(connection('ECONNREFUSED')), 'KAFKA_UNREACHABLE', 'retry'],
    [
      'a request without an answer',
      new KafkaJSRequestTimeoutError('Request timed out', {
        broker: 'b:1',
        clientId: 'c',
        correlationId: 1,
        createdAt: 1,
        sentAt: 1,
        pendingDuration: 1,
      }),
      'KAFKA_UNREACHABLE',
      'retry',
    ],
    [
      'a broker found before it was connected',
      new Error('Broker not connected'),
      'KAFKA_UNREACHABLE',
      'retry',
    ],
    [
      'an election',
      exceeded(protocol({ type: 'NOT_LEADER_FOR_PARTITION', retriable: true })),
      'KAFKA_UNREACHABLE',
      'retry',
    ],
    [
      'too few replicas',
      exceeded(protocol({ type: 'NOT_ENOUGH_REPLICAS', retriable: true })),
      'KAFKA_UNREACHABLE',
      'retry',
    ],
    [
      'wrong credentials',
      new KafkaJSSASLAuthenticationError('denied'),
      'KAFKA_AUTHENTICATION',
      'stop',
    ],
    [
      'a certificate nobody trusts',
      exceeded(connection('DEPTH_ZERO_SELF_SIGNED_CERT')),
      'KAFKA_AUTHENTICATION',
      'stop',
    ],
    [
      'a server that speaks no TLS',
      exceeded(connection('ERR_SSL_WRONG_VERSION_NUMBER')),
      'KAFKA_AUTHENTICATION',
      'stop',
    ],
    [
      'a missing right',
      protocol({ type: 'TOPIC_AUTHORIZATION_FAILED', retriable: false }),
      'KAFKA_AUTHORIZATION',
      'stop',
    ],
    [
      'a missing topic',
      exceeded(protocol({ type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true })),
      'TOPIC_MISSING',
      'stop',
    ],
    [
      'a batch too large',
      protocol({ type: 'MESSAGE_TOO_LARGE', retriable: false }),
      'RECORD_TOO_LARGE',
      'stop',
    ],
    [
      'an offset out of range',
      protocol({ type: 'OFFSET_OUT_OF_RANGE', retriable: false }),
      'OFFSET_OUT_OF_RANGE',
      'stop',
    ],
    [
      'a newer producer',
      protocol({ type: 'INVALID_PRODUCER_EPOCH', retriable: false }),
      'FENCED',
      'retry',
    ],
    [
      'one of several',
      new KafkaJSAggregateError('Topic creation errors', [
        protocol({ type: 'CLUSTER_AUTHORIZATION_FAILED', retriable: false }),
      ]),
      'KAFKA_AUTHORIZATION',
      'stop',
    ],
    [
      'something wrapped',
      new KafkaJSNonRetriableError(new Error('x'), {
        cause: protocol({ type: 'TOPIC_AUTHORIZATION_FAILED', retriable: false }),
      }),
      'KAFKA_AUTHORIZATION',
      'stop',
    ],
    [
      'anything else',
      protocol({ type: 'INVALID_RECORD', retriable: false }),
      'KAFKA_FAILED',
      'stop',
    ],
  ])('%s has a code and a remedy', (_, thrown, code, remedy) => {
    const error = kafkaError(thrown, 'p.threat.samples');
    expect(error).toBeInstanceOf(KafkaLogError);
    expect(error).toMatchObject({ code, remedy, cause: thrown });
    expect((error as Error).message).toMatch(/^Expected .*, found .*\. /s);
  });

  it('names a missing topic and the next step', () => {
    expect(
      kafkaError(
        protocol({ type: 'UNKNOWN_TOPIC_OR_PARTITION', retriable: true }),
        'p.threat.samples',
      ),
    ).toMatchObject({
      message: expect.stringMatching(/p\.threat\.samples.*residency topics create/),
    });
  });

  it("never repeats kafkajs's message, which may contain a record", () => {
    const errors = [
      new KafkaJSNonRetriableError('CANARY'),
      new KafkaJSError('CANARY'),
      protocol({ type: 'X', retriable: false }),
    ].map((thrown) => kafkaError(thrown, 't'));
    for (const error of errors) expect((error as Error).message).not.toContain('CANARY');
  });
});

it('returns other errors unchanged: coded errors and defects', () => {
  for (const other of [
    new KafkaLogError({ code: 'LOG_CLOSED', remedy: 'stop', message: 'x' }),
    new TypeError('x'),
    'x',
    undefined,
  ])
    expect(kafkaError(other)).toBe(other);
});

it('is retried if it is transient', () => {
  const error = (type: string, retriable: boolean): unknown =>
    kafkaError(protocol({ type, retriable }));
  expect(
    [
      error('NOT_LEADER_FOR_PARTITION', true),
      error('UNKNOWN_TOPIC_OR_PARTITION', true),
      error('TOPIC_AUTHORIZATION_FAILED', false),
    ].map(mayPass),
  ).toEqual([true, true, false]);
});
