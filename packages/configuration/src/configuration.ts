import { ConfigurationError } from './configuration-error.ts';
import type { ConfigurationSource } from './configuration-source.ts';
import { EnvironmentReader } from './environment-reader.ts';
import type { Mistake } from './mistake.ts';
import type { Section } from './section.ts';
import { readAuditing } from './sections/auditing.ts';
import type { AuditingConfiguration } from './sections/auditing.ts';
import { readCheckpoints } from './sections/checkpoints.ts';
import type { CheckpointsConfiguration } from './sections/checkpoints.ts';
import { readCustody } from './sections/custody.ts';
import type { CustodyConfiguration } from './sections/custody.ts';
import { readExporting } from './sections/exporting.ts';
import type { ExportingConfiguration } from './sections/exporting.ts';
import { readHttp } from './sections/http.ts';
import type { HttpConfiguration } from './sections/http.ts';
import { readKafka } from './sections/kafka.ts';
import type { KafkaConfiguration } from './sections/kafka.ts';
import { readKeys } from './sections/keys.ts';
import type { KeysConfiguration } from './sections/keys.ts';
import { readLedger } from './sections/ledger.ts';
import type { LedgerConfiguration } from './sections/ledger.ts';
import { readProjecting } from './sections/projecting.ts';
import type { ProjectingConfiguration } from './sections/projecting.ts';
import { readReconciling } from './sections/reconciling.ts';
import type { ReconcilingConfiguration } from './sections/reconciling.ts';
import { readRedis } from './sections/redis.ts';
import type { RedisConfiguration } from './sections/redis.ts';
import { readRouting } from './sections/routing.ts';
import type { RoutingConfiguration } from './sections/routing.ts';
import { readPlaces, readSites } from './sections/sites.ts';
import type { SiteConfiguration } from './sections/sites.ts';
import { readStatus } from './sections/status.ts';
import type { StatusConfiguration } from './sections/status.ts';
import { readTelemetry } from './sections/telemetry.ts';
import type { TelemetryConfiguration } from './sections/telemetry.ts';
import { readTopics } from './sections/topics.ts';
import type { TopicsConfiguration } from './sections/topics.ts';
import { SITE_ROLES } from './site-variables.ts';
import { unknownVariables } from './unknown-variables.ts';

/** The values of the sections. Adapters accept them unchanged, with a client's name. */
export interface Configuration {
  readonly kafka: KafkaConfiguration;
  readonly redis: RedisConfiguration;
  /** With the credentials of routers. */
  readonly sites: readonly SiteConfiguration[];
  /** The same sites with the credentials of readers, which list and get. */
  readonly readers: readonly SiteConfiguration[];
  /** The same sites with the credentials of custodians, which get, create and replace. */
  readonly custodians: readonly SiteConfiguration[];
  readonly keys: KeysConfiguration;
  readonly http: HttpConfiguration;
  readonly routing: RoutingConfiguration;
  readonly projecting: ProjectingConfiguration;
  readonly topics: TopicsConfiguration;
  readonly ledger: LedgerConfiguration;
  readonly checkpoints: CheckpointsConfiguration;
  readonly auditing: AuditingConfiguration;
  readonly reconciling: ReconcilingConfiguration;
  readonly custody: CustodyConfiguration;
  readonly exporting: ExportingConfiguration;
  readonly status: StatusConfiguration;
  readonly telemetry: TelemetryConfiguration;
}

const READERS: {
  readonly [S in Section]: (reader: EnvironmentReader) => Configuration[S] | undefined;
} = {
  kafka: readKafka,
  redis: readRedis,
  keys: readKeys,
  http: readHttp,
  routing: readRouting,
  projecting: readProjecting,
  topics: readTopics,
  ledger: readLedger,
  checkpoints: readCheckpoints,
  auditing: readAuditing,
  reconciling: readReconciling,
  custody: readCustody,
  exporting: readExporting,
  status: readStatus,
  telemetry: readTelemetry,
  sites: (reader) => readSites(reader, 'sites'),
  readers: (reader) => readSites(reader, 'readers'),
  custodians: (reader) => readSites(reader, 'custodians'),
};

/** The requested sections. Throws `CONFIGURATION_INVALID` with every mistake in them. */
export function configurationOf<const S extends Section>(
  sections: readonly S[],
  source: ConfigurationSource,
): Pick<Configuration, S> {
  const { configuration, mistakes } = readConfiguration(sections, source);
  if (configuration === undefined) throw new ConfigurationError(mistakes);
  return configuration;
}

/**
 * Like `configurationOf`, for callers that show valid settings beside mistakes. `configuration` is
 * present exactly if there is no mistake.
 */
export function readConfiguration<const S extends Section>(
  sections: readonly S[],
  source: ConfigurationSource,
): { readonly configuration?: Pick<Configuration, S>; readonly mistakes: readonly Mistake[] } {
  const reader = new EnvironmentReader(source);
  const read = sections.map((section) => [section, READERS[section](reader)] as const);
  const places = sections.some((section) => SITE_ROLES.some((role) => role === section))
    ? readPlaces(reader)
    : undefined;
  const mistakes = [...reader.mistakes, ...unknownVariables(Object.keys(source.env), places)];
  if (mistakes.length > 0) return { mistakes };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a section without a mistake is whole
  const configuration = Object.fromEntries(read) as Pick<Configuration, S>;
  return { configuration, mistakes };
}
