import type { Configuration, ConfigurationSource, SiteConfiguration } from '../src/index.ts';
import { siteVariables } from '../src/site-variables.ts';

/** Everything that is required, and nothing else. */
export const REQUIRED = {
  RESIDENCY_LOG: 'log-1',
  RESIDENCY_KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092',
  RESIDENCY_KAFKA_CLUSTER_ID: '5L6g3nShT-eMCtK--X86sw',
  RESIDENCY_REDIS_URL: 'redis://redis:6379',
  RESIDENCY_REGIONS_FILE: '/etc/residency/regions.json',
  RESIDENCY_KEYS_DIR: '/etc/residency/keys',
  RESIDENCY_LEDGER_DIR: '/srv/ledger',
  RESIDENCY_LEDGER_KEY_FILE: '/etc/residency/ledger-key',
  RESIDENCY_RECONCILER_STATE_DIR: '/var/lib/reconciler',
};

export const REGIONS = {
  sites: {
    'zrh-1': { region: 'zurich', bucket: 'samples-zrh-1', awsRegion: 'eu-central-2' },
    'mow-1': {
      region: 'moscow',
      bucket: 'samples-mow-1',
      awsRegion: 'ru-1',
      endpoint: 'https://s3.example',
    },
  },
};

export const FILES: Readonly<Record<string, string>> = {
  '/etc/residency/regions.json': JSON.stringify(REGIONS),
  '/etc/residency/ledger-key': 'PRIVATE+KEY+name+id+key\n',
};

export function sourceOf(
  env: Readonly<Record<string, string | undefined>> = {},
  files: Readonly<Record<string, string>> = {},
): ConfigurationSource {
  return { env: { ...REQUIRED, ...env }, readFile: reading({ ...FILES, ...files }) };
}

function reading(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined)
      throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return text;
  };
}

/** The variables and files that say a configuration: what an operator would write. */
export function writtenOf({
  kafka,
  redis,
  sites,
  http,
  keys,
  routing,
  projecting,
  topics,
  ledger,
  checkpoints,
  auditing,
  reconciling,
  custody,
  exporting,
  status,
  telemetry,
}: Omit<Configuration, 'readers' | 'custodians'>): ConfigurationSource {
  const files: Record<string, string> = {};
  const file = (name: string, text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    files[`/files/${name}`] = text;
    return `/files/${name}`;
  };
  const text = (value: number | string | undefined): string | undefined =>
    value === undefined ? undefined : String(value);
  const env = {
    RESIDENCY_LOG: kafka.log,
    RESIDENCY_KAFKA_BROKERS: kafka.brokers.join(', '),
    RESIDENCY_KAFKA_CLUSTER_ID: kafka.clusterId,
    RESIDENCY_TOPIC_PREFIX: kafka.topicPrefix,
    RESIDENCY_KAFKA_TLS: String(kafka.tls !== undefined),
    RESIDENCY_KAFKA_TLS_CA_FILE: file('ca', kafka.tls?.ca),
    RESIDENCY_KAFKA_TLS_CERT_FILE: file('cert', kafka.tls?.cert),
    RESIDENCY_KAFKA_TLS_KEY_FILE: file('key', kafka.tls?.key),
    RESIDENCY_KAFKA_SASL_MECHANISM: kafka.sasl?.mechanism,
    RESIDENCY_KAFKA_USERNAME: kafka.sasl?.username,
    RESIDENCY_KAFKA_PASSWORD: kafka.sasl?.password,
    RESIDENCY_REDIS_URL: redis.url,
    RESIDENCY_REDIS_USERNAME: redis.username,
    RESIDENCY_REDIS_PASSWORD_FILE: file(
      'redis-password',
      redis.password === undefined ? undefined : `${redis.password}\n`,
    ),
    RESIDENCY_REDIS_TLS_CA_FILE: file('redis-ca', redis.tls?.ca),
    RESIDENCY_REDIS_KEY_PREFIX: redis.keyPrefix,
    RESIDENCY_REGIONS_FILE: file(
      'regions',
      JSON.stringify({
        sites: Object.fromEntries(
          sites.map((site) => [site.site, { ...site, site: undefined, credentials: undefined }]),
        ),
      }),
    ),
    RESIDENCY_KEYS_DIR: keys.directory,
    RESIDENCY_HTTP_HOST: http.host,
    RESIDENCY_HTTP_PORT: text(http.port),
    RESIDENCY_TOKENS_FILE: file(
      'tokens',
      http.tokens === undefined ? undefined : JSON.stringify(http.tokens),
    ),
    RESIDENCY_WATERMARK_MARGIN_MS: text(routing.watermarkMarginMs),
    RESIDENCY_IN_FLIGHT_BYTES: text(routing.inFlightBytes),
    RESIDENCY_MAX_BATCH_RECORDS: text(routing.maxBatchRecords),
    RESIDENCY_MAX_BATCH_BYTES: text(routing.maxBatchBytes),
    RESIDENCY_SESSION_TIMEOUT_MS: text(routing.sessionTimeoutMs),
    RESIDENCY_SITE_PATIENCE_MS: text(routing.sitePatienceMs),
    RESIDENCY_ON_WITHDRAWAL: projecting.onWithdrawal,
    RESIDENCY_TOPIC_PARTITIONS: text(topics.partitions),
    RESIDENCY_TOPIC_REPLICATION: text(topics.replicationFactor),
    RESIDENCY_TOPIC_RETENTION_MS: text(topics.retentionMs),
    RESIDENCY_LEDGER_ORIGIN: ledger.origin,
    RESIDENCY_LEDGER_DIR: ledger.directory,
    RESIDENCY_LEDGER_BUCKET: ledger.bucket?.bucket,
    RESIDENCY_LEDGER_ENDPOINT: ledger.bucket?.endpoint,
    RESIDENCY_LEDGER_AWS_REGION: ledger.bucket?.awsRegion,
    RESIDENCY_LEDGER_PATH_STYLE:
      ledger.bucket === undefined ? undefined : String(ledger.bucket.pathStyle),
    RESIDENCY_LEDGER_ACCESS_KEY_ID: ledger.bucket?.credentials?.accessKeyId,
    RESIDENCY_LEDGER_SECRET_ACCESS_KEY: ledger.bucket?.credentials?.secretAccessKey,
    RESIDENCY_CHECKPOINTS_DIR: checkpoints.directory,
    RESIDENCY_CHECKPOINTS_BUCKET: checkpoints.bucket?.bucket,
    RESIDENCY_CHECKPOINTS_ENDPOINT: checkpoints.bucket?.endpoint,
    RESIDENCY_CHECKPOINTS_AWS_REGION: checkpoints.bucket?.awsRegion,
    RESIDENCY_CHECKPOINTS_PATH_STYLE:
      checkpoints.bucket === undefined ? undefined : String(checkpoints.bucket.pathStyle),
    RESIDENCY_CHECKPOINTS_ACCESS_KEY_ID: checkpoints.bucket?.credentials?.accessKeyId,
    RESIDENCY_CHECKPOINTS_SECRET_ACCESS_KEY: checkpoints.bucket?.credentials?.secretAccessKey,
    RESIDENCY_LEDGER_KEY_FILE: file('ledger-key', `${auditing.signerKey}\n`),
    RESIDENCY_LEDGER_INTERVAL_MS: text(auditing.intervalMs),
    RESIDENCY_RECONCILER_STATE_DIR: reconciling.stateDirectory,
    RESIDENCY_RECONCILER_READS_PER_SECOND: text(reconciling.readsPerSecond),
    RESIDENCY_RECONCILER_PAUSE_MS: text(reconciling.pauseMs),
    RESIDENCY_REPAIR: reconciling.repair,
    RESIDENCY_RETENTION: reconciling.retention,
    RESIDENCY_CUSTODIAN_REGION: custody.region,
    RESIDENCY_CUSTODIAN_INTERVAL_MS: text(custody.intervalMs),
    RESIDENCY_EXPORTER_INTERVAL_MS: text(exporting.intervalMs),
    RESIDENCY_METRICS_URLS:
      status.metricsUrls.length === 0 ? undefined : status.metricsUrls.join(', '),
    RESIDENCY_LOG_LEVEL: telemetry.logLevel,
    ...(Object.assign({}, ...sites.map(credentialsOf)) as Record<string, string>),
  };
  return { env, readFile: reading(files) };
}

function credentialsOf({
  site,
  credentials,
}: SiteConfiguration): Record<string, string | undefined> {
  const names = siteVariables(site, 'sites');
  return {
    [names.accessKeyId]: credentials?.accessKeyId,
    [names.secretAccessKey]: credentials?.secretAccessKey,
    [names.sessionToken]: credentials?.sessionToken,
  };
}
