import { dirname, join } from 'node:path';
import {
  FilesystemLedgerStore,
  KeyDirectory,
  initLedgerDirectory,
  openLedgerDirectory,
} from '@residency/adapter-filesystem';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaDiagnostics, KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3LedgerStore, S3SiteReader, verifyS3Site } from '@residency/adapter-s3';
import type { LedgerStore } from '@residency/auditing';
import { configurationOf } from '@residency/configuration';
import type { Configuration, LedgerBucket, Section } from '@residency/configuration';
import { MarkerWatch } from '@residency/contracts';
import { watched, watchedList } from '@residency/reconciliation';
import type { SiteReader } from '@residency/reconciliation';
import { createLogger } from '@residency/telemetry';
import { CliError } from '../terminal/cli-error.ts';
import type { ConfigFile } from './config-file.ts';
import { ledgerIn } from '../ledger/ledger-files.ts';
import type { Session } from '../terminal/session.ts';

export function diagnosticsOf({ env }: Pick<Session, 'env'>): KafkaDiagnostics {
  return createLogger({ level: env['RESIDENCY_DEBUG'] === undefined ? 'silent' : 'debug' });
}

/** Any of these variables names the place of the kept checkpoints. */
export const CHECKPOINT_PLACES = [
  'RESIDENCY_CHECKPOINTS_DIR',
  'RESIDENCY_CHECKPOINTS_BUCKET',
  'RESIDENCY_LEDGER_KEY_FILE',
];

/**
 * A cluster's parts. Each is configured and connected on first use, so that listing keys needs no
 * Kafka.
 */
export class Cluster {
  readonly #config: ConfigFile;
  readonly #diagnostics: KafkaDiagnostics;
  readonly #readers = new Map<string, S3SiteReader>();
  #log: Promise<KafkaLog> | undefined;
  #consents: RedisConsentView | undefined;
  #ledgers: S3LedgerStore | undefined;
  readonly #stores: S3LedgerStore[] = [];

  constructor(config: ConfigFile, diagnostics: KafkaDiagnostics) {
    this.#config = config;
    this.#diagnostics = diagnostics;
  }

  /** Throws `CONFIGURATION_INVALID`. */
  settings<const S extends Section>(section: S): Configuration[S] {
    const settings: Pick<Configuration, S> = configurationOf([section], this.#config);
    return settings[section];
  }

  async log(): Promise<KafkaLog> {
    this.#log ??= openKafkaLog(this.settings('kafka'), this.#diagnostics);
    return await this.#log;
  }

  consents(): RedisConsentView {
    this.#consents ??= new RedisConsentView(this.settings('redis'));
    return this.#consents;
  }

  keys(): KeyDirectory {
    return new KeyDirectory(this.settings('keys').directory);
  }

  /** A reader with the credentials that may list and get. */
  reader(site: string): S3SiteReader {
    let reader = this.#readers.get(site);
    if (reader === undefined) {
      reader = new S3SiteReader(this.reading(site));
      this.#readers.set(site, reader);
    }
    return reader;
  }

  /** Like `reader`, and verifies the marker meanwhile. */
  watchedReader(site: string, region: string): SiteReader {
    return watched(this.reader(site), this.#markerWatch(site, region));
  }

  /** A list of the site, which verifies the marker before, meanwhile and at its end. */
  watchedSubmissions(site: string, region: string): AsyncIterable<readonly string[]> {
    return watchedList(this.reader(site).submissions(), this.#markerWatch(site, region));
  }

  #markerWatch(site: string, region: string): MarkerWatch {
    const settings = { ...this.reading(site), region };
    return new MarkerWatch(() => verifyS3Site(settings), { now: () => performance.now() });
  }

  reading(site: string): Configuration['readers'][number] {
    const settings = this.settings('readers').find((one) => one.site === site);
    if (settings === undefined)
      throw new CliError({
        code: 'CONFIGURATION_INCOMPLETE',
        message: `Expected an entry for site ${site} in the regions file, found none; add it.`,
        remedy: 'stop',
      });
    return settings;
  }

  /** The value of a variable of any section. */
  variable(name: string): string | undefined {
    return this.#config.env[name];
  }

  /** For reading. */
  ledgerStore(): Pick<LedgerStore, 'read'> {
    const { directory, bucket } = this.settings('ledger');
    if (directory !== undefined) return { read: ledgerIn(directory).read };
    this.#ledgers ??= new S3LedgerStore(bucket);
    return this.#ledgers;
  }

  /** For commands that change ledgers. */
  writableLedgers(): LedgerStore {
    return this.#storeAt(this.settings('ledger'));
  }

  /** The store of the newest checkpoints; `undefined`: the settings name none. */
  keptCheckpoints(): Pick<LedgerStore, 'read'> | undefined {
    if (!CHECKPOINT_PLACES.some((name) => this.variable(name) !== undefined)) return undefined;
    const { bucket } = this.settings('checkpoints');
    return bucket === undefined
      ? { read: ledgerIn(this.#checkpointsDirectory()).read }
      : this.#storeAt({ bucket });
  }

  async writableCheckpoints(): Promise<LedgerStore> {
    const { bucket, besideKey } = this.settings('checkpoints');
    if (bucket !== undefined) return this.#storeAt({ bucket });
    const directory = this.#checkpointsDirectory();
    await (besideKey === undefined ? openLedgerDirectory : initLedgerDirectory)(directory);
    return new FilesystemLedgerStore(directory);
  }

  #checkpointsDirectory(): string {
    const { directory, besideKey = '' } = this.settings('checkpoints');
    return directory ?? join(dirname(besideKey), 'ledger-checkpoints');
  }

  #storeAt({
    directory,
    bucket,
  }: {
    readonly directory?: string;
    readonly bucket?: LedgerBucket;
  }): LedgerStore {
    if (directory !== undefined || bucket === undefined)
      return new FilesystemLedgerStore(directory ?? '');
    const store = new S3LedgerStore(bucket);
    this.#stores.push(store);
    return store;
  }

  async close(): Promise<void> {
    this.#ledgers?.close();
    for (const store of this.#stores) store.close();
    for (const reader of this.#readers.values()) reader.close();
    await this.#consents?.close();
    const log = await this.#log?.catch(() => undefined);
    await log?.close();
  }
}
