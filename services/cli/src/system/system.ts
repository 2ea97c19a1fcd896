import type { KeyDirectory } from '@residency/adapter-filesystem';
import type { AuditReading, AuditRestorer, CustodyRestorer, LogReading } from '@residency/auditing';
import type { ConsentHistory } from '@residency/consent';
import type {
  AuditFeed,
  CustodyReading,
  RegisterStore,
  RegisterTopics,
} from '@residency/custodianship';
import type {
  LogEntry,
  LogRecord,
  Outcome,
  Position,
  QuarantinePointer,
  SiteIdentity,
} from '@residency/contracts';
import type { AuditTrail, SiteReader } from '@residency/reconciliation';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import type { LedgerKeeping } from '../ledger/ledger-keeping.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import type { PassedOver } from './passed-over.ts';

/**
 * Selects audit events. Absent members do not restrict. `[from, to)` in the T of their intake
 * records.
 */
export interface AuditQuery {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly submission?: string;
  readonly outcome?: Outcome;
  readonly region?: string;
}

export type SubmissionStatus =
  | { readonly state: 'unknown' }
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly events: readonly Buffer[] };

/** Sites as they are compared with the audit log. */
export interface ComparedSites {
  /**
   * Readers of the sites, each verified by its marker. Foreign entries among the sites are listed.
   */
  readonly readers: readonly SiteReader[];
  /** Entries among the sites that belong to no site of a policy. */
  readonly foreign: readonly string[];
}

/** What the claims of a region follow from (docs/decisions/0047). */
export interface ClaimSources {
  readonly audit: AuditFeed;
  readonly custody: CustodyReading;
  /** Where the region's custodian keeps its register; absent: the settings do not say it. */
  readonly register?: {
    readonly store: Pick<RegisterStore, 'read'>;
    readonly topics: RegisterTopics;
  };
}

/** For how far something is; `total` where it is known. */
export type OnProgress = (done: number, total?: number) => void;

/**
 * The operations of commands on a system: a data directory of one machine, or a cluster. Both open
 * their parts on first use. Errors are coded, with remedy `retry` if something is unreachable.
 */
export interface System {
  /** The records that `auditRecords` and `quarantine` had to leave out so far. */
  readonly passedOver: PassedOver;
  /** Batches worth having on their way at a time. */
  readonly concurrency: number;
  /**
   * Durable once it resolves. A data directory appends all or none; a cluster in order, all of one
   * topic's partition or none.
   */
  append(entries: readonly LogEntry[]): Promise<readonly Position[]>;
  /** Every published version, valid or not, in log order. */
  policies(): Promise<readonly PolicyPublished[]>;
  /**
   * The time by which samples are past their time: our clock's, but no later than the clock that
   * stamps the log allows.
   */
  retentionTime(): Promise<Instant>;
  /** Throws if a thing is missing that `prepare` does not make. Changes nothing. */
  requireRegions(document: PolicyDocument): Promise<void>;
  /** Makes what a version's regions need before it is published, or says what is missing. */
  prepare(document: PolicyDocument): Promise<void>;
  /** Regions that may have keys. */
  regions(): Promise<readonly string[]>;
  /** Audit events as they were settled, byte for byte; each partition's in order. */
  auditRecords(query?: AuditQuery): AsyncIterable<Buffer>;
  /**
   * The audit log itself, not what helps to look things up in it; each partition's records in
   * order. Events about records before `from` may be left out.
   */
  auditLog(options?: { readonly from?: Instant }): AsyncIterable<LogRecord>;
  /** `threat.consents` from its start, not a view of it. */
  consentLog(): AsyncIterable<LogRecord>;
  /** `threat.subjects` from its start. It says who is behind a consent. */
  subjectLog(): AsyncIterable<LogRecord>;
  /** Removes the links of these consents to subjects. */
  forgetSubjects(consentIds: readonly string[]): Promise<void>;
  /**
   * The most milliseconds that the intake log keeps a record; `Infinity`: for ever; 0: the custodian
   * deletes it with the sample.
   */
  intakeRetention(): Promise<number>;
  /** `residency.policy` from its start, ticks included. */
  policyLog(): AsyncIterable<LogRecord>;
  /** A region's custody log from its start. */
  custodyLog(region: string): AsyncIterable<LogRecord>;
  /** `residency.control` from its start. */
  controlLog(): AsyncIterable<LogRecord>;
  /**
   * The control state, for callers that ask repeatedly. The first read includes everything appended
   * before the call; on a cluster a later one may lag by a fetch. Throws `retry` if it is unknown
   * now.
   */
  controlView(): Promise<ControlView>;
  /** `from`: nothing before it is looked at. */
  findSubmission(
    submission: string,
    options?: { readonly from?: Instant; readonly onProgress?: OnProgress },
  ): Promise<SubmissionStatus>;
  /** Empty: this consent was never given. */
  consentHistory(consentId: string): Promise<ConsentHistory>;
  quarantine(): AsyncIterable<QuarantinePointer>;
  /** `undefined`: never appended to this log, or its retention is over. */
  recordAt(position: Position): Promise<LogRecord | undefined>;
  /** How many records of the intake log are not settled, by partition. */
  unsettled(): Promise<ReadonlyMap<number, bigint>>;
  /** Intake records that are not settled yet. */
  waiting(): AsyncIterable<LogRecord>;
  keys(): KeyDirectory;
  /** Throws `CONFIGURATION_INVALID` where the settings of a cluster name no ledger. */
  ledgers(): Promise<Ledgers>;
  /**
   * For commands that change the ledgers' key or begin new ledgers. Locks a data directory
   * meanwhile: throws `ROUTING_LOCKED`.
   */
  keepLedgers<T>(work: (keeping: LedgerKeeping) => Promise<T>): Promise<T>;
  /**
   * One partition of the audit log as it is now. Takes no right, and fences nobody. Throws
   * `AUDIT_UNDECIDED` (retry) if its readers would wait for an open transaction.
   */
  auditReading(partition: number): Promise<AuditReading>;
  /**
   * The exclusive right to append to a partition of the audit log, for the time of `work`. Locks a
   * data directory (`ROUTING_LOCKED`); fences the routers of a cluster's partition.
   */
  restoring<T>(partition: number, work: (log: AuditRestorer) => Promise<T>): Promise<T>;
  /**
   * After it resolves no router settles what it decided before it read every control event appended
   * before the call, and the audit log has no undecided transaction of theirs.
   */
  fenceRouters(): Promise<void>;
  /** As `auditReading`, of a region's custody log; throws `CUSTODY_UNDECIDED` (retry). */
  custodyReading(region: string): Promise<LogReading>;
  /**
   * The exclusive right to append to a region's custody log, for the time of `work`. Locks a data
   * directory (`ROUTING_LOCKED`); fences the region's custodian in a cluster.
   */
  restoringCustody<T>(region: string, work: (log: CustodyRestorer) => Promise<T>): Promise<T>;
  /** A site's objects, without verifying whose site it is. */
  siteReader(site: string, region: string): Promise<SiteReader>;
  /** The same after verifying it; throws if the site does not answer, or is another's. */
  verifiedReader(site: string, region: string): Promise<SiteReader>;
  /**
   * The submissions that have an object in the site, in pages, after verifying it as `verifiedReader`
   * does.
   */
  submissionsIn(site: string, region: string): AsyncIterable<readonly string[]>;
  claimSources(region: string): Promise<ClaimSources>;
  /**
   * Puts the marker of a site that a policy names into its folder, which is made if it is missing, or
   * into its bucket, which must exist. A marker that is there is verified instead. Throws
   * `SITE_NOT_EMPTY` for samples without a marker, and the markers' other errors.
   */
  initSite(site: SiteIdentity): Promise<void>;
  /** `out`: sites that are not even opened. Their readers are there, and must not be used. */
  comparedSites(
    named: ReadonlyMap<string, ReadonlySet<string>>,
    out: ReadonlySet<string>,
  ): Promise<ComparedSites>;
  /** `regions`: those of all valid policy versions; their custody logs are read. */
  trail(regions: () => Iterable<string>): AuditTrail;
  close(): Promise<void>;
}
