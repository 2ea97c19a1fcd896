import type { KafkaConfig, Kafka as KafkaClient, SASLOptions } from 'kafkajs';
import type { KafkaDiagnostics } from './diagnostics.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { Kafka, logLevel } from './kafkajs/kafkajs.ts';

/**
 * Retries of all requests outside transactions: about 8 s of attempts. After that the caller has to
 * wait.
 */
export const RETRY = {
  initialRetryTime: 50,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
  retries: 8,
} as const;

const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Sets the connection options. All producers, consumers and admins of this package come from its
 * result.
 */
export function createKafka(settings: KafkaSettings, diagnostics: KafkaDiagnostics): KafkaClient {
  return new Kafka(clientOptions(settings, diagnostics));
}

export function clientOptions(
  { brokers, clientId, requestTimeoutMs = REQUEST_TIMEOUT_MS, tls, sasl }: KafkaSettings,
  diagnostics: KafkaDiagnostics,
): KafkaConfig {
  return {
    brokers: inTurn(brokers),
    clientId,
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: requestTimeoutMs,
    retry: RETRY,
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
    logLevel: logLevel.INFO,
    // Everything kafkajs logs it either retries or throws, and the caller reports what it throws.
    // So all of it is logged as `debug`: kafkajs logs expected retries, rebalances and dropped
    // connections as `error`. Only the message is kept, because other members may hold requests and
    // responses.
    logCreator:
      () =>
      ({ namespace, log }) => {
        diagnostics.debug(`kafkajs ${namespace}: ${log.message.slice(0, 300)}`);
      },
  };
}

/**
 * kafkajs always begins with the first broker of its list, and stays with a broker that accepts
 * connections and never answers. It calls this function before each attempt, and gets the next
 * broker of the list each time.
 */
function inTurn(brokers: readonly string[]): () => string[] {
  let turn = Math.floor(Math.random() * brokers.length);
  return () => {
    turn = (turn + 1) % brokers.length;
    return brokers.slice(turn, turn + 1);
  };
}

// One case each, because kafkajs's type ties the credentials to the mechanism.
function saslOptions({
  mechanism,
  username,
  password,
}: NonNullable<KafkaSettings['sasl']>): SASLOptions {
  switch (mechanism) {
    case 'plain':
      return { mechanism, username, password };
    case 'scram-sha-256':
      return { mechanism, username, password };
    case 'scram-sha-512':
      return { mechanism, username, password };
    default: {
      const never: never = mechanism;
      return never;
    }
  }
}
