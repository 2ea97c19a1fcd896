import type { KafkaConfig, Kafka as KafkaClient, SASLOptions } from 'kafkajs';
import type { KafkaDiagnostics } from './diagnostics.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { Kafka, logLevel } from './kafkajs/kafkajs.ts';

/** Back-off of everything that is no transaction: about 8 s of attempts, then it is the caller's to wait. */
export const RETRY = {
  initialRetryTime: 50,
  multiplier: 2,
  factor: 0.2,
  maxRetryTime: 2_000,
  retries: 8,
} as const;

const REQUEST_TIMEOUT_MS = 30_000;

/** The one place where connection options are set: every producer, consumer and admin of this package comes from what it returns. */
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
    // Whatever kafkajs logs it either retries by itself or throws, and what it throws is reported by whoever called. Hence all of it is
    // `debug`: its expected retries, rebalances and dropped connections come as `error`. Of an entry only the message goes on, because
    // the rest may hold requests and responses.
    logCreator:
      () =>
      ({ namespace, log }) => {
        diagnostics.debug(`kafkajs ${namespace}: ${log.message.slice(0, 300)}`);
      },
  };
}

/**
 * kafkajs begins with the first broker of its list, whenever it begins, and stays with one that takes connections and does not answer. It asks
 * this before each attempt: for one broker, and the next one the next time.
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
