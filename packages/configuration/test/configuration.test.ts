import {
  assert,
  array,
  boolean,
  constantFrom,
  integer,
  oneof,
  option,
  property,
  record,
  string,
  stringMatching,
  uniqueArray,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, SECTIONS, configurationOf, readConfiguration } from '../src/index.ts';
import type { Configuration, Section } from '../src/index.ts';
import { REQUIRED, sourceOf, writtenOf } from './valid-environment.ts';

/** Ledgers in a bucket instead of a folder. */
const IN_BUCKET = {
  RESIDENCY_LEDGER_DIR: undefined,
  RESIDENCY_LEDGER_BUCKET: 'ledger',
  RESIDENCY_LEDGER_AWS_REGION: 'eu-central-2',
};

const ALL = SECTIONS.filter((section) => section !== 'readers' && section !== 'custodians');

function mistakesOf(
  env: Readonly<Record<string, string | undefined>>,
  files: Readonly<Record<string, string>> = {},
  sections: readonly Section[] = SECTIONS,
): readonly string[] {
  return readConfiguration(sections, sourceOf(env, files)).mistakes.map(
    ({ variable, expected, found }) => `${variable}: ${expected} / ${found}`,
  );
}

describe('a valid environment', () => {
  it('gives what is required, and defaults for the rest', () => {
    expect(configurationOf(ALL, sourceOf())).toEqual({
      kafka: {
        log: 'log-1',
        brokers: ['kafka-1:9092', 'kafka-2:9092'],
        clientId: 'residency',
        clusterId: '5L6g3nShT-eMCtK--X86sw',
        topicPrefix: '',
      },
      redis: { url: 'redis://redis:6379', keyPrefix: 'residency', log: 'log-1' },
      sites: [
        {
          site: 'zrh-1',
          region: 'zurich',
          bucket: 'samples-zrh-1',
          awsRegion: 'eu-central-2',
          pathStyle: false,
          checksums: 'WHEN_REQUIRED',
        },
        {
          site: 'mow-1',
          region: 'moscow',
          bucket: 'samples-mow-1',
          awsRegion: 'ru-1',
          endpoint: 'https://s3.example',
          pathStyle: false,
          checksums: 'WHEN_REQUIRED',
        },
      ],
      keys: { directory: '/etc/residency/keys' },
      http: { host: '127.0.0.1', port: 8080 },
      routing: {
        watermarkMarginMs: 1_000,
        inFlightBytes: 134_217_728,
        maxBatchRecords: 500,
        maxBatchBytes: 4_194_304,
        sessionTimeoutMs: 30_000,
        sitePatienceMs: 5_000,
      },
      projecting: { onWithdrawal: 'keep' },
      topics: { partitions: 12, replicationFactor: 3, retentionMs: 604_800_000 },
      ledger: { origin: 'residency-router', directory: '/srv/ledger' },
      checkpoints: { besideKey: '/etc/residency/ledger-key' },
      auditing: { signerKey: 'PRIVATE+KEY+name+id+key', intervalMs: 5_000 },
      reconciling: {
        stateDirectory: '/var/lib/reconciler',
        readsPerSecond: 50,
        pauseMs: 60_000,
        repair: 'propose',
        retention: 'propose',
      },
      custody: { intervalMs: 1_000 },
      exporting: { intervalMs: 10_000 },
      status: { metricsUrls: [] },
      telemetry: { logLevel: 'info' },
    });
  });

  it('is read back from what an operator would write', () => {
    assert(
      property(configurations(), (configuration) => {
        expect(configurationOf(ALL, writtenOf(configuration))).toEqual(configuration);
      }),
    );
  });

  it('carries the name a service gives itself', () => {
    expect(
      configurationOf(['kafka'], { ...sourceOf(), clientId: 'residency-router' }).kafka.clientId,
    ).toBe('residency-router');
  });

  it('takes a variable of a section nobody asked for, of tests and of commands, and an empty one, for no mistake', () => {
    expect(
      configurationOf(['telemetry'], {
        env: {
          RESIDENCY_HTTP_PORT: 'x',
          RESIDENCY_TEST_X: '1',
          RESIDENCY_TOKEN: 't',
          RESIDENCY_VAULT_TOKEN: 't',
          RESIDENCY_VAULT_URL: 'x',
          RESIDENCY_SITE_ZRH_9_ACCESS_KEY_ID: 'k',
          RESIDENCY_LOG_LEVEL: '',
          OTHER: '1',
        },
        readFile: () => '',
      }),
    ).toEqual({ telemetry: { logLevel: 'info' } });
  });

  it('keeps user and password of an address apart from it', () => {
    expect(
      configurationOf(
        ['redis'],
        sourceOf({ RESIDENCY_REDIS_URL: 'rediss://me:p%40ss@redis:6380/3' }),
      ).redis,
    ).toEqual({
      url: 'rediss://redis:6380/3',
      username: 'me',
      password: 'p@ss',
      tls: {},
      keyPrefix: 'residency',
      log: 'log-1',
    });
  });

  it('gives readers credentials of their own', () => {
    const env = {
      RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID: 'w',
      RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY: 'ws',
      RESIDENCY_SITE_ZRH_1_READER_ACCESS_KEY_ID: 'r',
      RESIDENCY_SITE_ZRH_1_READER_SECRET_ACCESS_KEY_FILE: '/secret',
      RESIDENCY_SITE_ZRH_1_READER_SESSION_TOKEN: 'rt',
    };
    const { sites, readers } = configurationOf(
      ['sites', 'readers'],
      sourceOf(env, { '/secret': 'rs\n' }),
    );
    expect([sites[0]?.credentials, readers[0]?.credentials, sites[1]?.credentials]).toEqual([
      { accessKeyId: 'w', secretAccessKey: 'ws' },
      { accessKeyId: 'r', secretAccessKey: 'rs', sessionToken: 'rt' },
      undefined,
    ]);
  });
});

describe('mistakes', () => {
  it('are named all at once, one a line, with a code that stops', () => {
    const source = {
      env: {
        RESIDENCY_KAFKA_BROKERS: 'nowhere',
        RESIDENCY_HTTP_PORT: '80000',
        RESIDENCY_LOG_LEVL: 'info',
      },
      readFile: () => '',
    };
    let error: unknown;
    try {
      configurationOf(['kafka', 'http', 'keys'], source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID', remedy: 'stop' });
    expect((error as Error).message.split('\n')).toEqual([
      'Expected a configuration as in docs/reference/configuration.md, found 6 mistakes; correct each:',
      'RESIDENCY_KAFKA_BROKERS: expected a comma-separated list of host:port, found "nowhere".',
      'RESIDENCY_LOG: expected 1 to 64 of A-Z a-z 0-9 . _ -, found nothing.',
      'RESIDENCY_KAFKA_CLUSTER_ID: expected 1 to 64 of A-Z a-z 0-9 _ -, found nothing.',
      'RESIDENCY_HTTP_PORT: expected a whole number from 0 to 65535, found "80000".',
      'RESIDENCY_KEYS_DIR: expected a path, found nothing.',
      'RESIDENCY_LOG_LEVL: expected a variable that exists, found an unknown one (RESIDENCY_LOG_LEVEL is meant?).',
    ]);
  });

  it.each<
    [Readonly<Record<string, string | undefined>>, string, Readonly<Record<string, string>>?]
  >([
    ...Object.keys(REQUIRED)
      .filter((name) => name !== 'RESIDENCY_LEDGER_DIR')
      .map((name): [Record<string, undefined>, string] => [
        { [name]: undefined },
        `${name}: .* / nothing$`,
      ]),
    [{ RESIDENCY_LOG: 'a/b' }, 'RESIDENCY_LOG: 1 to 64 .* / "a/b"'],
    [{ RESIDENCY_KAFKA_BROKERS: 'a:0' }, 'RESIDENCY_KAFKA_BROKERS'],
    [{ RESIDENCY_KAFKA_BROKERS: 'a:65536' }, 'RESIDENCY_KAFKA_BROKERS'],
    [{ RESIDENCY_KAFKA_BROKERS: 'a:1,,b:1' }, 'RESIDENCY_KAFKA_BROKERS'],
    [{ RESIDENCY_TOPIC_PREFIX: 'a b' }, 'RESIDENCY_TOPIC_PREFIX'],
    [{ RESIDENCY_KAFKA_TLS: 'yes' }, 'RESIDENCY_KAFKA_TLS: true or false / "yes"'],
    [
      { RESIDENCY_KAFKA_TLS_CA_FILE: '/ca' },
      'RESIDENCY_KAFKA_TLS_CA_FILE: RESIDENCY_KAFKA_TLS=true beside it / it alone',
      { '/ca': 'pem' },
    ],
    [
      { RESIDENCY_KAFKA_TLS: 'true', RESIDENCY_KAFKA_TLS_CA_FILE: '/none' },
      'RESIDENCY_KAFKA_TLS_CA_FILE: the path of a file that can be read / ENOENT',
    ],
    [
      { RESIDENCY_KAFKA_TLS: 'true', RESIDENCY_KAFKA_TLS_CERT_FILE: '/c' },
      'RESIDENCY_KAFKA_TLS_CERT_FILE: RESIDENCY_KAFKA_TLS_KEY_FILE beside it / it alone',
      { '/c': 'pem' },
    ],
    [
      { RESIDENCY_KAFKA_TLS: 'true', RESIDENCY_KAFKA_TLS_KEY_FILE: '/k' },
      'RESIDENCY_KAFKA_TLS_KEY_FILE: RESIDENCY_KAFKA_TLS_CERT_FILE beside it / it alone',
      { '/k': 'pem' },
    ],
    [
      {
        RESIDENCY_KAFKA_SASL_MECHANISM: 'gssapi',
        RESIDENCY_KAFKA_USERNAME: 'u',
        RESIDENCY_KAFKA_PASSWORD: 'p',
      },
      'RESIDENCY_KAFKA_SASL_MECHANISM: plain or scram-sha-256 or scram-sha-512',
    ],
    [
      { RESIDENCY_KAFKA_SASL_MECHANISM: 'plain', RESIDENCY_KAFKA_PASSWORD: 'p' },
      'RESIDENCY_KAFKA_USERNAME: .* / nothing, with a SASL mechanism',
    ],
    [
      { RESIDENCY_KAFKA_SASL_MECHANISM: 'plain', RESIDENCY_KAFKA_USERNAME: 'u' },
      'RESIDENCY_KAFKA_PASSWORD: .* / nothing, with a SASL mechanism',
    ],
    [
      { RESIDENCY_KAFKA_PASSWORD: 'p' },
      'RESIDENCY_KAFKA_PASSWORD: RESIDENCY_KAFKA_SASL_MECHANISM beside it',
    ],
    [
      { RESIDENCY_KAFKA_USERNAME: 'u' },
      'RESIDENCY_KAFKA_USERNAME: RESIDENCY_KAFKA_SASL_MECHANISM beside it',
    ],
    [
      {
        RESIDENCY_KAFKA_SASL_MECHANISM: 'plain',
        RESIDENCY_KAFKA_USERNAME: 'u',
        RESIDENCY_KAFKA_PASSWORD: 'p',
        RESIDENCY_KAFKA_PASSWORD_FILE: '/p',
      },
      'RESIDENCY_KAFKA_PASSWORD_FILE: nothing beside RESIDENCY_KAFKA_PASSWORD / both',
      { '/p': 'p' },
    ],
    [
      {
        RESIDENCY_KAFKA_SASL_MECHANISM: 'plain',
        RESIDENCY_KAFKA_USERNAME: 'u',
        RESIDENCY_KAFKA_PASSWORD_FILE: '/p',
      },
      'RESIDENCY_KAFKA_PASSWORD_FILE: a file that holds a secret of one line / something else',
      { '/p': 'p\nq' },
    ],
    [{ RESIDENCY_REDIS_URL: 'http://redis' }, 'RESIDENCY_REDIS_URL'],
    [{ RESIDENCY_REDIS_URL: 'redis://' }, 'RESIDENCY_REDIS_URL'],
    [{ RESIDENCY_REDIS_URL: 'redis://r/x' }, 'RESIDENCY_REDIS_URL'],
    [{ RESIDENCY_REDIS_URL: 'redis://r?x=1' }, 'RESIDENCY_REDIS_URL'],
    [
      { RESIDENCY_REDIS_TLS_CA_FILE: '/ca' },
      'RESIDENCY_REDIS_TLS_CA_FILE: an address with rediss:// beside it',
      { '/ca': 'pem' },
    ],
    [
      { RESIDENCY_REDIS_URL: 'redis://:p@r', RESIDENCY_REDIS_PASSWORD: 'p' },
      'RESIDENCY_REDIS_URL: one password',
    ],
    [
      { RESIDENCY_REDIS_URL: 'redis://u@r', RESIDENCY_REDIS_USERNAME: 'u' },
      'RESIDENCY_REDIS_USERNAME: one user',
    ],
    [{ RESIDENCY_REDIS_KEY_PREFIX: '{a}' }, 'RESIDENCY_REDIS_KEY_PREFIX'],
    [{ RESIDENCY_HTTP_PORT: '-1' }, 'RESIDENCY_HTTP_PORT'],
    [{ RESIDENCY_HTTP_PORT: '1e3' }, 'RESIDENCY_HTTP_PORT'],
    [{ RESIDENCY_HTTP_HOST: 'a b' }, 'RESIDENCY_HTTP_HOST'],
    [{ RESIDENCY_TOKENS_FILE: '/t' }, 'RESIDENCY_TOKENS_FILE: a JSON array', { '/t': '[]' }],
    [
      { RESIDENCY_TOKENS_FILE: '/t' },
      'RESIDENCY_TOKENS_FILE: a JSON array',
      { '/t': '[{"token":"x","scopes":["all"]}]' },
    ],
    [{ RESIDENCY_IN_FLIGHT_BYTES: '1' }, 'RESIDENCY_IN_FLIGHT_BYTES'],
    [{ RESIDENCY_MAX_BATCH_RECORDS: '0' }, 'RESIDENCY_MAX_BATCH_RECORDS'],
    [{ RESIDENCY_SESSION_TIMEOUT_MS: '5999' }, 'RESIDENCY_SESSION_TIMEOUT_MS'],
    [{ RESIDENCY_WATERMARK_MARGIN_MS: '1.5' }, 'RESIDENCY_WATERMARK_MARGIN_MS'],
    [{ RESIDENCY_MAX_BATCH_BYTES: '' + 2 ** 40 }, 'RESIDENCY_MAX_BATCH_BYTES'],
    [{ RESIDENCY_TOPIC_PARTITIONS: '0' }, 'RESIDENCY_TOPIC_PARTITIONS'],
    [{ RESIDENCY_TOPIC_REPLICATION: 'x' }, 'RESIDENCY_TOPIC_REPLICATION'],
    [{ RESIDENCY_TOPIC_RETENTION_MS: '1' }, 'RESIDENCY_TOPIC_RETENTION_MS'],
    [{ RESIDENCY_LOG_LEVEL: 'loud' }, 'RESIDENCY_LOG_LEVEL'],
    [
      { RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID: 'k' },
      'RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID: RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY or .* / it alone',
    ],
    [
      { RESIDENCY_SITE_ZRH_1_READER_SECRET_ACCESS_KEY: 'k' },
      'RESIDENCY_SITE_ZRH_1_READER_SECRET_ACCESS_KEY: RESIDENCY_SITE_ZRH_1_READER_ACCESS_KEY_ID beside it / it alone',
    ],
    [
      { RESIDENCY_SITE_ZRH_2_ACCESS_KEY_ID: 'k' },
      'RESIDENCY_SITE_ZRH_2_ACCESS_KEY_ID: a variable that exists / an unknown one .RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID is meant',
    ],
    [
      {
        RESIDENCY_CHECKPOINTS_DIR: '/kept',
        RESIDENCY_CHECKPOINTS_BUCKET: 'kept',
        RESIDENCY_CHECKPOINTS_AWS_REGION: 'r',
      },
      'RESIDENCY_CHECKPOINTS_BUCKET: nothing beside RESIDENCY_CHECKPOINTS_DIR / both',
    ],
    [{ RESIDENCY_CHECKPOINTS_BUCKET: 'kept' }, 'RESIDENCY_CHECKPOINTS_AWS_REGION: '],
    [
      { RESIDENCY_CHECKPOINTS_ENDPOINT: 'https://s3.example' },
      'RESIDENCY_CHECKPOINTS_ENDPOINT: RESIDENCY_CHECKPOINTS_BUCKET beside it',
    ],
    [
      { RESIDENCY_LEDGER_DIR: undefined },
      'RESIDENCY_LEDGER_BUCKET: .*, or a folder in RESIDENCY_LEDGER_DIR / nothing',
    ],
    [
      { RESIDENCY_LEDGER_BUCKET: 'ledger', RESIDENCY_LEDGER_AWS_REGION: 'r' },
      'RESIDENCY_LEDGER_BUCKET: nothing beside RESIDENCY_LEDGER_DIR / both',
    ],
    [
      { ...IN_BUCKET, RESIDENCY_LEDGER_AWS_REGION: undefined },
      'RESIDENCY_LEDGER_AWS_REGION: .* / nothing, with a bucket',
    ],
    [
      { ...IN_BUCKET, RESIDENCY_LEDGER_ENDPOINT: 'https://u:p@h' },
      'RESIDENCY_LEDGER_ENDPOINT: an address',
    ],
    [{ ...IN_BUCKET, RESIDENCY_LEDGER_BUCKET: 'A' }, 'RESIDENCY_LEDGER_BUCKET: a bucket'],
    [
      { RESIDENCY_LEDGER_ENDPOINT: 'https://s3.example' },
      'RESIDENCY_LEDGER_ENDPOINT: RESIDENCY_LEDGER_BUCKET beside it / it alone',
    ],
    [
      { ...IN_BUCKET, RESIDENCY_LEDGER_ACCESS_KEY_ID: 'k' },
      'RESIDENCY_LEDGER_ACCESS_KEY_ID: RESIDENCY_LEDGER_SECRET_ACCESS_KEY or .* / it alone',
    ],
    [
      { ...IN_BUCKET, RESIDENCY_LEDGER_SECRET_ACCESS_KEY: 'k' },
      'RESIDENCY_LEDGER_SECRET_ACCESS_KEY: RESIDENCY_LEDGER_ACCESS_KEY_ID beside it / it alone',
    ],
    [{ RESIDENCY_LEDGER_ORIGIN: 'a b' }, 'RESIDENCY_LEDGER_ORIGIN'],
    [{ RESIDENCY_LEDGER_ORIGIN: 'a+b' }, 'RESIDENCY_LEDGER_ORIGIN'],
    [{ RESIDENCY_LEDGER_KEY_FILE: '/none' }, 'RESIDENCY_LEDGER_KEY_FILE: .* / ENOENT'],
    [{ RESIDENCY_LEDGER_INTERVAL_MS: '99' }, 'RESIDENCY_LEDGER_INTERVAL_MS'],
    [{ RESIDENCY_RECONCILER_READS_PER_SECOND: '0' }, 'RESIDENCY_RECONCILER_READS_PER_SECOND'],
    [{ RESIDENCY_RECONCILER_PAUSE_MS: '86400001' }, 'RESIDENCY_RECONCILER_PAUSE_MS'],
    [{ RESIDENCY_REPAIR: 'always' }, 'RESIDENCY_REPAIR'],
    [{ RESIDENCY_ON_WITHDRAWAL: 'ask' }, 'RESIDENCY_ON_WITHDRAWAL'],
    [{ RESIDENCY_RETENTION: 'off' }, 'RESIDENCY_RETENTION'],
    [{ RESIDENCY_EXPORTER_INTERVAL_MS: '999' }, 'RESIDENCY_EXPORTER_INTERVAL_MS'],
    [
      { RESIDENCY_METRICS_URLS: 'router:8080' },
      'RESIDENCY_METRICS_URLS: a comma-separated list of addresses',
    ],
    [{ RESIDENCY_METRICS_URLS: 'http://a:1,,http://b:1' }, 'RESIDENCY_METRICS_URLS'],
    [{ RESIDENCY_METRICS_URLS: 'http://u:p@a:1' }, 'RESIDENCY_METRICS_URLS'],
    [{ RESIDENCY_NONSENSE: 'k' }, 'RESIDENCY_NONSENSE: a variable that exists / an unknown one$'],
  ])('%j is told, and nothing else', (env, expected, files = {}) => {
    const found = mistakesOf(env, files);
    expect(found).toEqual([expect.stringMatching(new RegExp(`^${expected}`))]);
  });

  it.each([
    ['a-b', 'a.b', 'RESIDENCY_SITE_A_B_ACCESS_KEY_ID'],
    ['a', 'a-reader', 'RESIDENCY_SITE_A_READER_ACCESS_KEY_ID'],
  ])('name sites %s and %s, whose credentials would have one name', (one, other, name) => {
    const site = (bucket: string): object => ({
      region: 'zurich',
      bucket,
      awsRegion: 'eu-central-2',
    });
    const found = mistakesOf(
      { RESIDENCY_REGIONS_FILE: '/regions' },
      { '/regions': JSON.stringify({ sites: { [one]: site('one'), [other]: site('two') } }) },
    );
    expect(found).toContain(
      `RESIDENCY_REGIONS_FILE: sites whose credentials have names of their own / ${name} for ${one} and ${other}`,
    );
  });

  it('never show a secret, nor the part before the host of an address', () => {
    const canary = 'canary0canary';
    const texts = [
      canary,
      `${canary}\n${canary}`,
      `\u0000${canary}`,
      `redis://u:${canary}@host:1?x`,
      `redis://${canary}@[`,
      `http://${canary}:${canary}@h`,
      `u:${canary}@h:1,v:${canary}@h:x`,
    ];
    for (const name of [
      'RESIDENCY_KAFKA_PASSWORD',
      'RESIDENCY_KAFKA_PASWORD',
      'RESIDENCY_REDIS_PASSWORD',
      'RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY',
      'RESIDENCY_SITE_ZRH_1_SESSION_TOKEN',
      'RESIDENCY_SITE_ZRH_9_SECRET_ACCESS_KEY',
      'RESIDENCY_LEDGER_SECRET_ACCESS_KEY',
    ]) {
      for (const text of texts)
        expect(mistakesOf({ [name]: text }).join('\n')).not.toContain(canary);
    }
    for (const name of [
      'RESIDENCY_REDIS_URL',
      'RESIDENCY_KAFKA_BROKERS',
      'RESIDENCY_LEDGER_ENDPOINT',
      'RESIDENCY_METRICS_URLS',
    ])
      for (const text of texts.slice(3))
        expect(mistakesOf({ [name]: text }).join('\n')).not.toContain(canary);
    for (const [name, contents] of [
      ['RESIDENCY_KAFKA_PASSWORD_FILE', `${canary}\n${canary}`],
      ['RESIDENCY_TOKENS_FILE', `[{"token":"${canary}","scopes":["x"]}]`],
      ['RESIDENCY_TOKENS_FILE', canary],
      [
        'RESIDENCY_REGIONS_FILE',
        `{"sites":{"zrh-1":{"bucket":"${canary}!","endpoint":"https://u:${canary}@h","secret":"${canary}"}}}`,
      ],
    ] as const) {
      const found = mistakesOf(
        { RESIDENCY_KAFKA_SASL_MECHANISM: 'plain', RESIDENCY_KAFKA_USERNAME: 'u', [name]: '/file' },
        { '/file': contents },
      );
      expect([found.length > 0, found.join('\n').includes(canary)]).toEqual([true, false]);
    }
  });
});

const name = stringMatching(/^[A-Za-z0-9._-]{1,40}$/);
const line = string({ minLength: 1, maxLength: 30, unit: 'grapheme-ascii' });
const place = stringMatching(/^\/[a-z]{1,20}$/);
const origin = constantFrom('residency-router', 'audit.example/residency');
const maybe = <T>(of: Arbitrary<T>): Arbitrary<T | undefined> => option(of, { nil: undefined });
const whole = (min: number, max: number): Arbitrary<number> => integer({ min, max });

/**
 * Whatever a configuration may be; members that are absent are left out, as the reader leaves them.
 */
function configurations(): Arbitrary<Omit<Configuration, 'readers' | 'custodians'>> {
  const credentials = record({
    accessKeyId: stringMatching(/^[A-Z0-9]{1,20}$/),
    secretAccessKey: line,
    sessionToken: maybe(line),
  });
  const sites = uniqueArray(
    record({
      site: stringMatching(/^[a-z][a-z0-9]{0,8}$/),
      region: constantFrom('zurich', 'moscow'),
      bucket: stringMatching(/^[a-z0-9]{3,20}$/),
      endpoint: maybe(constantFrom('https://s3.example', 'http://127.0.0.1:9000')),
      awsRegion: constantFrom('eu-central-2', 'us-east-1'),
      pathStyle: boolean(),
      checksums: constantFrom('WHEN_REQUIRED' as const, 'WHEN_SUPPORTED' as const),
      credentials: maybe(credentials),
    }),
    { selector: ({ site }) => site, minLength: 1, maxLength: 4 },
  ).filter((all) => new Set(all.map(({ bucket }) => bucket)).size === all.length);
  const tokens = array(
    record({
      token: line,
      scopes: constantFrom(['submissions'] as const, ['submissions', 'consents'] as const),
    }),
    { minLength: 1, maxLength: 2 },
  );
  return record({
    log: name,
    kafka: record({
      brokers: array(constantFrom('a:1', 'kafka.example:9092', '[::1]:9092', '10.0.0.1:65535'), {
        minLength: 1,
        maxLength: 3,
      }),
      clusterId: stringMatching(/^[A-Za-z0-9_-]{1,22}$/),
      topicPrefix: constantFrom('', 'staging.'),
      tls: maybe(
        constantFrom(
          {},
          { ca: 'authority' },
          { cert: 'certificate', key: 'key' },
          { ca: 'authority', cert: 'certificate', key: 'key' },
        ),
      ),
      sasl: maybe(
        record({
          mechanism: constantFrom(
            'plain' as const,
            'scram-sha-256' as const,
            'scram-sha-512' as const,
          ),
          username: line,
          password: line,
        }),
      ),
    }),
    redis: record({
      url: constantFrom('redis://redis:6379', 'redis://127.0.0.1/2'),
      username: maybe(line),
      password: maybe(line),
      keyPrefix: name,
    }),
    sites,
    keys: record({ directory: place }),
    http: record({
      host: constantFrom('127.0.0.1', '::1', 'localhost'),
      port: whole(0, 65_535),
      tokens: maybe(tokens),
    }),
    routing: record({
      watermarkMarginMs: whole(0, 60_000),
      inFlightBytes: whole(25_165_824, 2 ** 31 - 1),
      maxBatchRecords: whole(1, 10_000),
      maxBatchBytes: whole(1, 1e9),
      sessionTimeoutMs: whole(25_000, 100_000),
      sitePatienceMs: whole(100, 600_000),
    }),
    topics: record({
      partitions: whole(1, 10_000),
      replicationFactor: whole(1, 15),
      retentionMs: whole(3_600_000, 2 ** 31 - 1),
    }),
    ledger: oneof(
      record({ origin, directory: place }),
      record({
        origin,
        bucket: record({
          bucket: constantFrom('ledger', 'a.b-c'),
          awsRegion: constantFrom('ru-1'),
          pathStyle: boolean(),
          endpoint: maybe(constantFrom('https://s3.example')),
          credentials: maybe(record({ accessKeyId: name, secretAccessKey: line })),
        }),
      }),
    ),
    checkpoints: oneof(
      constantFrom({ besideKey: '/files/ledger-key' }),
      record({ directory: place }),
      record({
        bucket: record({
          bucket: constantFrom('kept', 'a.b-c'),
          awsRegion: constantFrom('ru-1'),
          pathStyle: boolean(),
          endpoint: maybe(constantFrom('https://s3.example')),
          credentials: maybe(record({ accessKeyId: name, secretAccessKey: line })),
        }),
      }),
    ),
    auditing: record({
      signerKey: stringMatching(/^PRIVATE\+KEY\+[a-z/]{1,9}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{4}$/),
      intervalMs: whole(100, 3_600_000),
    }),
    projecting: record({ onWithdrawal: constantFrom('keep', 'erase') }),
    reconciling: record({
      stateDirectory: place,
      readsPerSecond: whole(1, 100_000),
      pauseMs: whole(0, 86_400_000),
      repair: constantFrom('auto', 'propose'),
      retention: constantFrom('auto', 'propose'),
    }),
    custody: record({
      region: maybe(constantFrom('zurich', 'moscow')),
      intervalMs: whole(100, 600_000),
    }),
    exporting: record({ intervalMs: whole(1_000, 600_000) }),
    status: record({
      metricsUrls: array(constantFrom('http://router-1:8080', 'https://ops.example/intake'), {
        maxLength: 3,
      }),
    }),
    telemetry: record({ logLevel: constantFrom('debug' as const, 'silent' as const) }),
  }).map(
    ({ log, kafka, redis, ...rest }) =>
      withoutAbsent({
        ...rest,
        kafka: { ...kafka, log, clientId: 'residency' },
        redis: { ...redis, log },
      }) as Omit<Configuration, 'readers' | 'custodians'>,
  );
}

function withoutAbsent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => [key, withoutAbsent(member)]),
  );
}
