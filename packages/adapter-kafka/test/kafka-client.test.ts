import { expect, it } from 'vitest';
import { clientOptions } from '../src/kafka-client.ts';
import type { KafkaSettings } from '../src/kafka-settings.ts';
import { logLevel } from '../src/kafkajs/kafkajs.ts';
import { SILENT } from './some-kafka.ts';

const settings: KafkaSettings = { brokers: ['b:1'], clientId: 'c', log: 'log-1', topicPrefix: '' };

it('uses plain text by default', () => {
  const options = clientOptions(settings, SILENT);
  expect(options).toMatchObject({ clientId: 'c', requestTimeout: 30_000 });
  expect([options.ssl, options.sasl]).toEqual([undefined, undefined]);
});

it('returns one broker for each attempt, a different one from the attempt before', () => {
  const brokers = ['b:1', 'b:2', 'b:3'];
  const { brokers: next } = clientOptions({ ...settings, brokers }, SILENT);
  const attempts = Array.from({ length: 6 }, () => (typeof next === 'function' ? next() : next));
  expect(new Set(attempts.flat().slice(0, 3))).toEqual(new Set(brokers));
  expect(attempts.slice(3)).toEqual(attempts.slice(0, 3));
});

it('uses TLS if it is set, even without an authority of its own', () => {
  expect(clientOptions({ ...settings, tls: {} }, SILENT).ssl).toEqual({});
  expect(
    clientOptions({ ...settings, tls: { ca: 'CA', cert: 'CERT', key: 'KEY' } }, SILENT).ssl,
  ).toEqual({ ca: 'CA', cert: 'CERT', key: 'KEY' });
});

it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
  'authenticates by %s',
  (mechanism) => {
    expect(
      clientOptions({ ...settings, sasl: { mechanism, username: 'u', password: 'p' } }, SILENT)
        .sasl,
    ).toEqual({ mechanism, username: 'u', password: 'p' });
  },
);

it('logs everything from kafkajs as debug, the message only', () => {
  const lines: [string, unknown[]][] = [];
  const record =
    (level: string) =>
    (...line: unknown[]): void => {
      lines.push([level, line]);
    };
  const log = clientOptions(settings, {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  }).logCreator?.(logLevel.INFO);
  for (const level of [logLevel.ERROR, logLevel.WARN, logLevel.INFO]) {
    log?.({
      namespace: 'Connection',
      level,
      label: 'x',
      log: {
        timestamp: '',
        message: `Response Fetch${'x'.repeat(1_000)}`,
        payload: 'CANARY',
        error: 'CANARY',
        stack: 'CANARY',
      },
    });
  }
  expect(lines.map(([level]) => level)).toEqual(['debug', 'debug', 'debug']);
  expect(JSON.stringify(lines)).toContain('kafkajs Connection: Response Fetch');
  expect(JSON.stringify(lines)).not.toContain('CANARY');
  expect(JSON.stringify(lines).length).toBeLessThan(1_200);
});
