import { KeyDirectory } from '@residency/adapter-filesystem';
import { openKafkaLog } from '@residency/adapter-kafka';
import type { KafkaDiagnostics, KafkaLog } from '@residency/adapter-kafka';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3LedgerStore, S3SiteReader } from '@residency/adapter-s3';
import type { LedgerStore } from '@residency/auditing';
import { configurationOf } from '@residency/configuration';
import type { Configuration, Section } from '@residency/configuration';
import { createLogger } from '@residency/telemetry';
import { CliError } from '../cli-error.ts';
import type { ConfigFile } from '../config-file.ts';
import { ledgerIn } from '../ledger-files.ts';
import type { Session } from '../session.ts';

export function diagnosticsOf({ env }: Pick<Session, 'env'>): KafkaDiagnostics {
  return createLogger({ level: env['RESIDENCY_DEBUG'] === undefined ? 'silent' : 'debug' });
}

/** A cluster's parts, each configured and connected when it is first asked for: whoever lists keys needs no Kafka. */
export class Cluster {
  readonly #config: ConfigFile;
  readonly #diagnostics: KafkaDiagnostics;
  readonly #readers = new Map<string, S3SiteReader>();
  #log: Promise<KafkaLog> | undefined;
  #consents: RedisConsentView | undefined;
  #ledgers: S3LedgerStore | undefined;

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

  /** With the credentials that may list and get. */
  reader(site: string): S3SiteReader {
    let reader = this.#readers.get(site);
    if (reader === undefined) {
      reader = new S3SiteReader(this.reading(site));
      this.#readers.set(site, reader);
    }
    return reader;
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

  /** As it stands in the settings, whatever section it belongs to. */
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

  async close(): Promise<void> {
    this.#ledgers?.close();
    for (const reader of this.#readers.values()) reader.close();
    await this.#consents?.close();
    const log = await this.#log?.catch(() => undefined);
    await log?.close();
  }
}
