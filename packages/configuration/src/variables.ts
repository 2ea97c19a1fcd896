import { DEFAULT_LIMITS } from '@residency/contracts';
import { brokers } from './brokers.ts';
import {
  AWS_REGION,
  AWS_REGION_EXPECTED,
  BUCKET,
  BUCKET_EXPECTED,
  endpoint,
} from './bucket-address.ts';
import { metricsUrls } from './metrics-urls.ts';
import { redisUrl } from './redis-url.ts';
import { choice, matching, path, secret, variable, whole } from './variable.ts';
import type { Variable } from './variable.ts';

const MiB = 1024 * 1024;

const kafka = {
  RESIDENCY_LOG: matching(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 . _ -', {
    sections: ['kafka', 'redis'],
    required: true,
    description:
      "The log's name: the first part of every position. It is bound to the cluster and the prefix below; never use one name for two.",
  }),
  RESIDENCY_KAFKA_BROKERS: variable({
    ...brokers,
    sections: ['kafka'],
    required: true,
    description: 'Where to find the cluster.',
  }),
  RESIDENCY_KAFKA_CLUSTER_ID: matching(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -', {
    sections: ['kafka'],
    required: true,
    description:
      "The id of the cluster that the log's name is bound to; another cluster at these addresses is refused.",
  }),
  RESIDENCY_TOPIC_PREFIX: matching(/^[A-Za-z0-9._-]{0,100}$/, 'up to 100 of A-Z a-z 0-9 . _ -', {
    sections: ['kafka'],
    default: '',
    description: "The prefix of every topic's and group's name.",
  }),
  RESIDENCY_KAFKA_TLS: choice(['true', 'false'], {
    sections: ['kafka'],
    default: 'false',
    description: 'Whether connections to Kafka are encrypted.',
  }),
  RESIDENCY_KAFKA_TLS_CA_FILE: path({
    sections: ['kafka'],
    absent: "the system's authorities",
    description: "PEM: authorities that may sign the brokers' certificates.",
  }),
  RESIDENCY_KAFKA_TLS_CERT_FILE: path({
    sections: ['kafka'],
    absent: 'none',
    description: "PEM: the client's certificate; with its key.",
  }),
  RESIDENCY_KAFKA_TLS_KEY_FILE: path({
    sections: ['kafka'],
    absent: 'none',
    description: "PEM: the client's private key; with its certificate.",
  }),
  RESIDENCY_KAFKA_SASL_MECHANISM: choice(['plain', 'scram-sha-256', 'scram-sha-512'], {
    sections: ['kafka'],
    absent: 'no SASL',
    description:
      'How to authenticate; with user and password. `plain` without TLS sends the password as it is.',
  }),
  RESIDENCY_KAFKA_USERNAME: matching(/^[^\0\r\n]{1,256}$/, "a user's name of one line", {
    sections: ['kafka'],
    absent: 'none',
    description: 'SASL user.',
  }),
  RESIDENCY_KAFKA_PASSWORD: secret({
    sections: ['kafka'],
    absent: 'none',
    description: 'SASL password.',
  }),
  RESIDENCY_KAFKA_PASSWORD_FILE: path({
    sections: ['kafka'],
    absent: 'none',
    description: 'File that holds the SASL password instead.',
  }),
};

const redis = {
  RESIDENCY_REDIS_URL: variable({
    ...redisUrl,
    sections: ['redis'],
    required: true,
    description: 'Where the consent view is; user and password belong in the variables below.',
  }),
  RESIDENCY_REDIS_USERNAME: matching(/^[^\0\r\n]{1,256}$/, "a user's name of one line", {
    sections: ['redis'],
    absent: "Redis's default user",
    description: 'Redis user.',
  }),
  RESIDENCY_REDIS_PASSWORD: secret({
    sections: ['redis'],
    absent: 'none',
    description: 'Redis password.',
  }),
  RESIDENCY_REDIS_PASSWORD_FILE: path({
    sections: ['redis'],
    absent: 'none',
    description: 'File that holds the Redis password instead.',
  }),
  RESIDENCY_REDIS_TLS_CA_FILE: path({
    sections: ['redis'],
    absent: "the system's authorities",
    description: "PEM: authorities that may sign Redis's certificate; needs `rediss://`.",
  }),
  RESIDENCY_REDIS_KEY_PREFIX: matching(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 . _ -', {
    sections: ['redis'],
    default: 'residency',
    description: "The prefix of every Redis key; it is also the cluster's hash tag.",
  }),
};

const places = {
  RESIDENCY_REGIONS_FILE: path({
    sections: ['sites', 'readers', 'custodians'],
    required: true,
    description: 'JSON: where each site is; see below.',
  }),
  RESIDENCY_KEYS_DIR: path({
    sections: ['keys'],
    required: true,
    description:
      "Folder of the regions' public keys. Private ones belong only where samples are opened.",
  }),
};

const http = {
  RESIDENCY_HTTP_HOST: matching(/^[A-Za-z0-9.:_-]{1,255}$/, "an address or a host's name", {
    sections: ['http'],
    default: '127.0.0.1',
    description: 'Where to listen. An intake anywhere but on loopback needs tokens.',
  }),
  RESIDENCY_HTTP_PORT: whole(0, 65_535, {
    sections: ['http'],
    default: '8080',
    description: 'Port; 0 is any free one.',
  }),
  RESIDENCY_TOKENS_FILE: path({
    sections: ['http'],
    absent: 'no tokens',
    description: 'JSON: `[{"token" or "sha256": "...", "scopes": ["submissions", "consents"]}]`.',
  }),
};

const routing = {
  RESIDENCY_WATERMARK_MARGIN_MS: whole(0, 60_000, {
    sections: ['routing'],
    default: '1000',
    description:
      "How far the brokers' clocks may differ, milliseconds: a record is decided once both views are this far beyond it.",
  }),
  RESIDENCY_MAX_BATCH_RECORDS: whole(1, 10_000, {
    sections: ['routing'],
    default: '500',
    description: 'Most records of one batch, which settles in one transaction.',
  }),
  RESIDENCY_MAX_BATCH_BYTES: whole(1, 1024 * MiB, {
    sections: ['routing'],
    default: String(4 * MiB),
    description: 'Most bytes of one batch, unless one record is larger.',
  }),
  RESIDENCY_IN_FLIGHT_BYTES: whole(DEFAULT_LIMITS.recordBytes, 16 * 1024 * MiB, {
    sections: ['routing'],
    default: String(DEFAULT_LIMITS.inFlightBytes),
    description: 'Most bytes of samples one router holds at a time.',
  }),
  RESIDENCY_SESSION_TIMEOUT_MS: whole(6_000, 1_800_000, {
    sections: ['routing'],
    default: '30000',
    description:
      "After how long without a heartbeat a router's partitions go to another; the brokers bound it too. Transactions are given up after two thirds of it.",
  }),
  RESIDENCY_SITE_PATIENCE_MS: whole(100, 600_000, {
    sections: ['routing'],
    default: '5000',
    description:
      'How long a router waits for a later site that may be owed its copy; after three such waits it leaves the site out. Choose at least the time that the largest sample (16 MiB) takes to a site over its link: 5 s needs 27 Mbit/s. While a site hangs, its region waits up to three times as long.',
  }),
};

const projecting = {
  RESIDENCY_ON_WITHDRAWAL: choice(['keep', 'erase'], {
    sections: ['projecting'],
    default: 'keep',
    description:
      'What becomes of stored samples when their consent is withdrawn. `erase`: their erasure is ordered at once, also for every withdrawal from before (docs/how-to/erase.md); needs the right to write to residency.control. The same on all consent projectors.',
  }),
};

const topics = {
  RESIDENCY_TOPIC_PARTITIONS: whole(1, 10_000, {
    sections: ['topics'],
    default: '12',
    description:
      'Partitions of `threat.samples`, `residency.audit` and `threat.samples.quarantine`. Choose once: it cannot be changed later.',
  }),
  RESIDENCY_TOPIC_REPLICATION: whole(1, 15, {
    sections: ['topics'],
    default: '3',
    description: 'Copies of every partition.',
  }),
  RESIDENCY_TOPIC_RETENTION_MS: whole(3_600_000, 315_576_000_000, {
    sections: ['topics'],
    default: '604800000',
    description:
      'How long `threat.samples` keeps plain samples, milliseconds. Redriving is possible that long.',
  }),
};

const ledger = {
  RESIDENCY_LEDGER_ORIGIN: matching(
    /^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/,
    '1 to 128 of A-Z a-z 0-9 . _ / -',
    {
      sections: ['ledger'],
      default: 'residency-router',
      description:
        "What ledgers' names begin with, like a URL without its scheme: `<this>/<log>/<partition>`. Never change it.",
    },
  ),
  RESIDENCY_LEDGER_DIR: path({
    sections: ['ledger'],
    absent: 'the bucket',
    description: 'Folder of the ledgers, which must exist. For one auditor at a time.',
  }),
  RESIDENCY_LEDGER_BUCKET: matching(BUCKET, BUCKET_EXPECTED, {
    sections: ['ledger'],
    absent: 'the folder',
    description:
      'Bucket of the ledgers; with object lock, not even its operator can replace its files.',
  }),
  RESIDENCY_LEDGER_ENDPOINT: variable({
    ...endpoint,
    sections: ['ledger'],
    absent: 'AWS',
    description: "The store's address.",
  }),
  RESIDENCY_LEDGER_AWS_REGION: matching(AWS_REGION, AWS_REGION_EXPECTED, {
    sections: ['ledger'],
    absent: 'required with a bucket',
    description: 'The region that requests are signed for.',
  }),
  RESIDENCY_LEDGER_PATH_STYLE: choice(['true', 'false'], {
    sections: ['ledger'],
    default: 'false',
    description: "`true`: the bucket is in the path instead of the host's name.",
  }),
  RESIDENCY_LEDGER_ACCESS_KEY_ID: matching(/^[\x21-\x7e]{1,256}$/, 'an access key id', {
    sections: ['ledger'],
    absent: "the SDK's default provider chain",
    description:
      'Access key id; with its secret. An auditor lists, gets and puts; a verifier lists and gets.',
  }),
  RESIDENCY_LEDGER_SECRET_ACCESS_KEY: secret({
    sections: ['ledger'],
    absent: "the SDK's default provider chain",
    description: 'Secret access key.',
  }),
  RESIDENCY_LEDGER_SECRET_ACCESS_KEY_FILE: path({
    sections: ['ledger'],
    absent: 'none',
    description: 'File that holds the secret access key instead.',
  }),
};

const checkpoints = {
  RESIDENCY_CHECKPOINTS_DIR: path({
    sections: ['checkpoints'],
    absent: "`ledger-checkpoints` beside the ledgers' key",
    description:
      'Folder that keeps the newest signed checkpoint of each ledger; it must exist. On a disk, and in a backup, of its own: what is restored together with Kafka or the ledgers guards nothing. For one log.',
  }),
  RESIDENCY_CHECKPOINTS_BUCKET: matching(BUCKET, BUCKET_EXPECTED, {
    sections: ['checkpoints'],
    absent: 'the folder',
    description: 'Bucket that keeps them instead; the auditor lists, gets and puts.',
  }),
  RESIDENCY_CHECKPOINTS_ENDPOINT: variable({
    ...endpoint,
    sections: ['checkpoints'],
    absent: 'AWS',
    description: "The store's address.",
  }),
  RESIDENCY_CHECKPOINTS_AWS_REGION: matching(AWS_REGION, AWS_REGION_EXPECTED, {
    sections: ['checkpoints'],
    absent: 'required with a bucket',
    description: 'The region that requests are signed for.',
  }),
  RESIDENCY_CHECKPOINTS_PATH_STYLE: choice(['true', 'false'], {
    sections: ['checkpoints'],
    default: 'false',
    description: "`true`: the bucket is in the path instead of the host's name.",
  }),
  RESIDENCY_CHECKPOINTS_ACCESS_KEY_ID: matching(/^[\x21-\x7e]{1,256}$/, 'an access key id', {
    sections: ['checkpoints'],
    absent: "the SDK's default provider chain",
    description: 'Access key id; with its secret.',
  }),
  RESIDENCY_CHECKPOINTS_SECRET_ACCESS_KEY: secret({
    sections: ['checkpoints'],
    absent: "the SDK's default provider chain",
    description: 'Secret access key.',
  }),
  RESIDENCY_CHECKPOINTS_SECRET_ACCESS_KEY_FILE: path({
    sections: ['checkpoints'],
    absent: 'none',
    description: 'File that holds the secret access key instead.',
  }),
};

const auditing = {
  RESIDENCY_LEDGER_KEY_FILE: path({
    sections: ['auditing'],
    required: true,
    description:
      "File of the signing key, readable by the auditor alone (0600); `residency audit key generate` makes one. It signs each partition's ledger under that ledger's name. Its folder must be writable where it is rotated.",
  }),
  RESIDENCY_LEDGER_INTERVAL_MS: whole(100, 3_600_000, {
    sections: ['auditing'],
    default: '5000',
    description: 'Least time between two checkpoints of a ledger, milliseconds.',
  }),
};

const reconciling = {
  RESIDENCY_RECONCILER_STATE_DIR: path({
    sections: ['reconciling'],
    required: true,
    description:
      'Folder where the reconciler keeps how far it is and what it found; it must exist, and belongs to one reconciler alone.',
  }),
  RESIDENCY_RECONCILER_READS_PER_SECOND: whole(1, 100_000, {
    sections: ['reconciling'],
    default: '50',
    description:
      'Most objects read a second, of all sites together; a page of a list counts as one.',
  }),
  RESIDENCY_RECONCILER_PAUSE_MS: whole(0, 86_400_000, {
    sections: ['reconciling'],
    default: '60000',
    description:
      'Least time from the begin of one pass over all objects to the begin of the next, milliseconds.',
  }),
  RESIDENCY_REPAIR: choice(['auto', 'propose'], {
    sections: ['reconciling'],
    default: 'propose',
    description:
      'What follows if a site lacks copies that it had, or has damaged ones. `auto`: the repair of the site is ordered at once; needs the right to write to residency.control. `propose`: a log line and a metric name the command. On one machine `residency reconcile` reads it.',
  }),
  RESIDENCY_RETENTION: choice(['auto', 'propose'], {
    sections: ['reconciling'],
    default: 'propose',
    description:
      'What follows if samples are stored for longer than `keepDays` of their region in the policy. `auto`: their erasure is ordered at once; needs the right to write to residency.control. `propose`: a log line and a metric say how many there are. On one machine `residency reconcile` reads it.',
  }),
};

const custody = {
  RESIDENCY_CUSTODIAN_REGION: matching(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'a region of the policy', {
    sections: ['custody'],
    absent: 'the custodian does not start',
    description:
      'Region whose samples the custodian looks after; it opens the sites of this region and no others.',
  }),
  RESIDENCY_CUSTODIAN_STATE_DIR: path({
    sections: ['custody'],
    absent:
      'the custodian reads both logs from their start each time it becomes the active one, and `residency site out` each time',
    description:
      'Folder where the custodian keeps its register, so that it reads only what is new; it must exist, and belongs to one custodian alone. `residency site out` reads it too.',
  }),
  RESIDENCY_VAULT_DIR: path({
    sections: ['custody'],
    absent: 'the custodian gives out no samples',
    description:
      "Folder with `purposes.json`, `tokens.json`, `reference-key` and `ledger-keys`, which say who may have samples (docs/how-to/give-access.md). With it the custodian also needs the sections `keys` (the region's private keys), `ledger` (to read) and `redis`.",
  }),
  RESIDENCY_CUSTODIAN_INTERVAL_MS: whole(100, 600_000, {
    sections: ['custody'],
    default: '1000',
    description: 'From the end of one round without copies to the next, milliseconds.',
  }),
};

const exporting = {
  RESIDENCY_EXPORTER_INTERVAL_MS: whole(1_000, 600_000, {
    sections: ['exporting'],
    default: '10000',
    description: 'From one reading of the logs to the next, milliseconds.',
  }),
};

const status = {
  RESIDENCY_METRICS_URLS: variable({
    ...metricsUrls,
    sections: ['status'],
    absent: 'none are asked',
    description:
      "Where the services' probes and metrics answer (each one's `RESIDENCY_HTTP_HOST` and `_PORT`, every router's). No service reads it.",
  }),
};

const telemetry = {
  RESIDENCY_LOG_LEVEL: choice(['debug', 'info', 'warn', 'error', 'silent'], {
    sections: ['telemetry'],
    default: 'info',
    description: 'The least level of log lines.',
  }),
};

/** Every variable but the sites' credentials, whose names follow from the regions file. */
export const VARIABLES = {
  ...kafka,
  ...redis,
  ...places,
  ...http,
  ...routing,
  ...projecting,
  ...topics,
  ...ledger,
  ...checkpoints,
  ...auditing,
  ...reconciling,
  ...custody,
  ...exporting,
  ...status,
  ...telemetry,
};
export type VariableName = keyof typeof VARIABLES;
export type ValueOf<Name extends VariableName> =
  (typeof VARIABLES)[Name] extends Variable<infer T> ? T : never;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own members
export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** Variables of commands on one machine. They are not reported as unknown. */
export const COMMAND_VARIABLES: readonly string[] = [
  'RESIDENCY_PORT',
  'RESIDENCY_TOKEN',
  'RESIDENCY_VAULT_URL',
  'RESIDENCY_VAULT_TOKEN',
  'RESIDENCY_DEBUG',
  'RESIDENCY_PRINCIPAL',
  'RESIDENCY_CHECKPOINTS',
];
