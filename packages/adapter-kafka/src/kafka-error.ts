import { hasCode, remedyOf } from '@residency/coded-error';
import { KafkaLogError } from './kafka-log-error.ts';
import type { KafkaLogErrorCode } from './kafka-log-error.ts';

interface Explanation {
  readonly code: KafkaLogErrorCode;
  readonly remedy: 'retry' | 'stop';
  readonly message: string;
}

const unreachable: Explanation = {
  code: 'KAFKA_UNREACHABLE',
  remedy: 'retry',
  message:
    'Expected an answer from Kafka, found no broker that gave one in time; whether it did what it was asked is not known. Look at the brokers and the network; it is tried again.',
};
const authentication: Explanation = {
  code: 'KAFKA_AUTHENTICATION',
  remedy: 'stop',
  message:
    'Expected Kafka and this client to accept each other, found the credentials or certificates refused. Check user, password, mechanism and the certificate authority.',
};
const authorization: Explanation = {
  code: 'KAFKA_AUTHORIZATION',
  remedy: 'stop',
  message:
    'Expected to be allowed what this service does on Kafka, found it forbidden. Give its user the rights named in the how-to on Kafka.',
};
const fenced: Explanation = {
  code: 'FENCED',
  remedy: 'retry',
  message:
    "Expected to be the only writer of this partition's transactions, found that another one took over. The committed position is read again.",
};
const mixed: Explanation = {
  code: 'GROUP_MIXED',
  remedy: 'retry',
  message:
    'Expected all members of the group to be of one format level, found a member of another release. This one waits until that has left: stop all of the other release, as docs/formats/README.md says.',
};

// https://kafka.apache.org/protocol#protocol_error_codes, as kafkajs names them in `type`.
const BY_TYPE: ReadonlyMap<string, Explanation> = new Map([
  ...[
    'SASL_AUTHENTICATION_FAILED',
    'UNSUPPORTED_SASL_MECHANISM',
    'ILLEGAL_SASL_STATE',
    'SECURITY_DISABLED',
  ].map((type) => [type, authentication] as const),
  ...[
    'TOPIC_AUTHORIZATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  ].map((type) => [type, authorization] as const),
  ...['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'TRANSACTION_COORDINATOR_FENCED'].map(
    (type) => [type, fenced] as const,
  ),
  ['INCONSISTENT_GROUP_PROTOCOL', mixed],
]);
const TOPIC_MISSING = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION']);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
// A handshake that failed will fail again. OpenSSL's codes for certificates and protocol, as Node
// reports them.
const TLS_CODE =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/;

/** The errors of the broker or the client library, outermost first. */
interface Complaint {
  readonly name: string;
  readonly type?: string;
  readonly code?: string;
  readonly retriable: boolean;
}

/**
 * Translates a failure of kafkajs into an error of this package. Anything else (a coded error, a
 * defect) is returned unchanged. `topic` is the cluster's name of the topic.
 */
export function kafkaError(cause: unknown, topic?: string): unknown {
  // kafkajs's admin client asks one broker after the other, ignores each failure, and then fails on
  // the missing answer.
  if (cause instanceof TypeError && /kafkajs.src.admin/.test(cause.stack ?? ''))
    return new KafkaLogError({ ...unreachable, cause });
  // Thrown if a connection was lost, or is not established yet, between its selection and its use.
  if (cause instanceof Error && cause.message === 'Broker not connected')
    return new KafkaLogError({ ...unreachable, cause });
  const complaints = complaintsOf(cause);
  const [outermost] = complaints;
  if (outermost === undefined) return cause;
  const explanation = complaints
    .map((complaint) => explain(complaint, topic))
    .find((found) => found !== undefined);
  if (explanation !== undefined) return new KafkaLogError({ ...explanation, cause });
  if (complaints.some(({ retriable }) => retriable))
    return new KafkaLogError({ ...unreachable, cause });
  const what = complaints.map(({ name, type }) => type ?? name).at(-1) ?? outermost.name;
  return new KafkaLogError({
    code: 'KAFKA_FAILED',
    remedy: 'stop',
    message: `Expected Kafka to do what it was asked${at(topic)}, found ${what}. Look at the brokers' logs.`,
    cause,
  });
}

function explain(
  { name, type, code }: Complaint,
  topic: string | undefined,
): Explanation | undefined {
  if (name === 'KafkaJSSASLAuthenticationError' || (code !== undefined && TLS_CODE.test(code)))
    return authentication;
  if (type !== undefined && TOPIC_MISSING.has(type)) {
    return {
      code: 'TOPIC_MISSING',
      remedy: 'stop',
      message: `Expected the topic${topic === undefined ? '' : ` ${topic}`} with its partitions, found none. Make it: residency topics create.`,
    };
  }
  if (type !== undefined && TOO_LARGE.has(type)) {
    return {
      code: 'RECORD_TOO_LARGE',
      remedy: 'stop',
      message: `Expected the records to fit${at(topic)}, found them larger than its max.message.bytes. Compare its settings: residency topics check.`,
    };
  }
  if (name === 'KafkaJSOffsetOutOfRange' || type === 'OFFSET_OUT_OF_RANGE') {
    return {
      code: 'OFFSET_OUT_OF_RANGE',
      remedy: 'stop',
      message: `Expected the records asked for${at(topic)}, found that the log does not reach there. Their retention is over, or it is another log: compare its starts and ends.`,
    };
  }
  return type === undefined ? undefined : BY_TYPE.get(type);
}

function at(topic: string | undefined): string {
  return topic === undefined ? '' : ` on topic ${topic}`;
}

// Wrappers such as `KafkaJSNumberOfRetriesExceeded` have no information of their own, so the cause
// is used.
function complaintsOf(error: unknown, depth = 0): Complaint[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const { name, type, code, retriable, cause, errors } = error as Error & {
    type?: unknown;
    code?: unknown;
    retriable?: unknown;
    errors?: unknown;
  };
  if (!name.startsWith('KafkaJS') && depth === 0) return [];
  const inner = [
    ...complaintsOf(cause, depth + 1),
    ...(Array.isArray(errors) ? errors.flatMap((each) => complaintsOf(each, depth + 1)) : []),
  ];
  const own: Complaint = {
    name,
    retriable: retriable === true || UNREACHABLE.has(name),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof code === 'string' ? { code } : {}),
  };
  return [own, ...inner];
}

// kafkajs marks them as not retriable because it retried already. A later attempt may succeed.
const UNREACHABLE = new Set([
  'KafkaJSTimeout',
  'KafkaJSLockTimeout',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSRequestTimeoutError',
  'KafkaJSConnectionError',
]);

/**
 * True if an immediate retry may succeed: a broker that does not lead a partition yet, or no
 * longer, may answer that it does not know the topic.
 */
export function mayPass(error: unknown): boolean {
  return remedyOf(error) === 'retry' || hasCode(error, 'TOPIC_MISSING');
}
