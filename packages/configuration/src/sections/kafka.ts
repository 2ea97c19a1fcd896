import { defined } from '@residency/defined';
import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';
import { VARIABLES } from '../variables.ts';

/** PEM texts. */
export interface TlsConfiguration {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface SaslConfiguration {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaConfiguration {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** The log's name, the first part of positions. */
  readonly log: string;
  readonly clusterId: string;
  readonly topicPrefix: string;
  /** Present, even empty: connections are encrypted. */
  readonly tls?: TlsConfiguration;
  readonly sasl?: SaslConfiguration;
}

export function readKafka(reader: EnvironmentReader): KafkaConfiguration | undefined {
  const tls = readTls(reader);
  const sasl = readSasl(reader);
  const needed = complete({
    brokers: reader.get('RESIDENCY_KAFKA_BROKERS'),
    log: reader.get('RESIDENCY_LOG'),
    clusterId: reader.get('RESIDENCY_KAFKA_CLUSTER_ID'),
    topicPrefix: reader.get('RESIDENCY_TOPIC_PREFIX'),
  });
  return needed === undefined
    ? undefined
    : { ...needed, clientId: reader.clientId, ...defined({ tls, sasl }) };
}

function readTls(reader: EnvironmentReader): TlsConfiguration | undefined {
  const [ca, cert, key] = [
    'RESIDENCY_KAFKA_TLS_CA_FILE',
    'RESIDENCY_KAFKA_TLS_CERT_FILE',
    'RESIDENCY_KAFKA_TLS_KEY_FILE',
  ] as const;
  const encrypted = reader.get('RESIDENCY_KAFKA_TLS');
  if (encrypted !== undefined)
    reader.refuseWithout(encrypted === 'true', [ca, cert, key], 'RESIDENCY_KAFKA_TLS=true');
  reader.refuseWithout(reader.isSet(key), [cert], key);
  reader.refuseWithout(reader.isSet(cert), [key], cert);
  const files = defined({ ca: reader.file(ca), cert: reader.file(cert), key: reader.file(key) });
  return encrypted === 'true' ? files : undefined;
}

function readSasl(reader: EnvironmentReader): SaslConfiguration | undefined {
  const [user, secret, file] = [
    'RESIDENCY_KAFKA_USERNAME',
    'RESIDENCY_KAFKA_PASSWORD',
    'RESIDENCY_KAFKA_PASSWORD_FILE',
  ] as const;
  const mechanism = reader.get('RESIDENCY_KAFKA_SASL_MECHANISM');
  const username = reader.get(user);
  const password = reader.secret(secret, file, {
    secret: VARIABLES[secret],
    file: VARIABLES[file],
  });
  if (!reader.isSet('RESIDENCY_KAFKA_SASL_MECHANISM')) {
    reader.refuseWithout(false, [user, secret, file], 'RESIDENCY_KAFKA_SASL_MECHANISM');
    return undefined;
  }
  if (!reader.isSet(user))
    reader.mistaken({
      variable: user,
      expected: VARIABLES[user].expected,
      found: 'nothing, with a SASL mechanism',
    });
  if (!reader.isSet(secret) && !reader.isSet(file))
    reader.mistaken({
      variable: secret,
      expected: VARIABLES[secret].expected,
      found: 'nothing, with a SASL mechanism',
    });
  return complete({ mechanism, username, password });
}
