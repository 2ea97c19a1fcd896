import { RegisterFile } from '@residency/adapter-filesystem';
import type { KeyDirectory } from '@residency/adapter-filesystem';
import { KafkaAuditTrail, policyReading, readNow } from '@residency/adapter-kafka';
import type { AuditReading, AuditRestorer, CustodyRestorer, LogReading } from '@residency/auditing';
import type { ConsentHistory } from '@residency/consent';
import { TOPICS, custodyTopic, decodeQuarantinePointer, sitesOut } from '@residency/contracts';
import type {
  LogEntry,
  LogRecord,
  Position,
  QuarantinePointer,
  SiteIdentity,
  Topic,
} from '@residency/contracts';
import { registerTopics } from '@residency/custodianship';
import type { AuditTrail, SiteReader } from '@residency/reconciliation';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import { readConfigFile } from './config-file.ts';
import type { LedgerKeeping } from '../ledger/ledger-keeping.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { controlOf } from '../system/control-state.ts';
import { PassedOver } from '../system/passed-over.ts';
import { checkInterrupted, interruptionOf } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type {
  AuditQuery,
  ClaimSources,
  ComparedSites,
  OnProgress,
  SubmissionStatus,
  System,
} from '../system/system.ts';
import { auditLog, auditRecords, findSubmission, waiting } from './cluster-audit.ts';
import { clusterLedgers, keepClusterLedgers } from './cluster-ledgers.ts';
import { comparedSites, initSite, requireRegions, verifiedReader } from './cluster-sites.ts';
import { Cluster, diagnosticsOf } from './cluster.ts';
import { policiesOn } from './published-policies.ts';

/** The cluster that the file at `path` and the environment describe. Nothing is connected yet. */
export async function openDistributedSystem(session: Session, path: string): Promise<System> {
  return new DistributedSystem(
    session,
    new Cluster(await readConfigFile(session, path), diagnosticsOf(session)),
  );
}

class DistributedSystem implements System {
  readonly concurrency = 4;
  readonly passedOver = new PassedOver();
  readonly #session: Session;
  readonly #cluster: Cluster;

  constructor(session: Session, cluster: Cluster) {
    this.#session = session;
    this.#cluster = cluster;
  }

  async append(entries: readonly LogEntry[]): Promise<readonly Position[]> {
    return await (await this.#cluster.log()).append(entries);
  }

  async policies(): Promise<readonly PolicyPublished[]> {
    return await policiesOn(this.#session, await this.#cluster.log());
  }

  async retentionTime(): Promise<Instant> {
    const reading = policyReading(await this.#cluster.log(), interruptionOf(this.#session));
    return Math.min(this.#session.now(), (await reading).watermark);
  }

  async requireRegions(document: PolicyDocument): Promise<void> {
    await requireRegions(this.#cluster, document, sitesOut(await controlOf(this)));
  }

  prepare(document: PolicyDocument): Promise<void> {
    return this.requireRegions(document);
  }

  /**
   * The regions of the regions file. Keys are created before the first policy is published, on a
   * machine that may not reach the log.
   */
  regions(): Promise<readonly string[]> {
    return Promise.resolve([
      ...new Set(this.#cluster.settings('sites').map(({ region }) => region)),
    ]);
  }

  async *auditRecords(query: AuditQuery = {}): AsyncGenerator<Buffer> {
    yield* auditRecords(this.#session, await this.#cluster.log(), {
      query,
      passedOver: this.passedOver,
    });
  }

  async *auditLog({ from }: { readonly from?: Instant } = {}): AsyncGenerator<LogRecord> {
    yield* auditLog(this.#session, await this.#cluster.log(), from);
  }

  consentLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.consents);
  }

  subjectLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.subjects);
  }

  /** With tombstones, by which Kafka's compaction removes the links. */
  async forgetSubjects(consentIds: readonly string[]): Promise<void> {
    await this.append(
      consentIds.map((consentId) => ({
        topic: TOPICS.subjects,
        record: { key: Buffer.from(consentId), headers: [], value: null },
      })),
    );
  }

  async intakeRetention(): Promise<number> {
    return await (await this.#cluster.log()).longestKept(TOPICS.samples);
  }

  policyLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.policy);
  }

  custodyLog(region: string): AsyncGenerator<LogRecord> {
    return this.#whole(custodyTopic(region));
  }

  controlLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.control);
  }

  /** Follows the log until this is closed. */
  async controlView(): Promise<ControlView> {
    const log = await this.#cluster.log();
    const view = log.controlView();
    const { signal } = this.#session;
    return {
      read: async () => {
        try {
          return await readNow(log, TOPICS.control, view, signal);
        } catch (error) {
          checkInterrupted(this.#session);
          throw error;
        }
      },
    };
  }

  async findSubmission(
    submission: string,
    options: { readonly from?: Instant; readonly onProgress?: OnProgress } = {},
  ): Promise<SubmissionStatus> {
    return await findSubmission(this.#session, await this.#cluster.log(), submission, {
      ...options,
      passedOver: this.passedOver,
    });
  }

  async consentHistory(consentId: string): Promise<ConsentHistory> {
    return (await this.#cluster.consents().read([consentId])).histories.get(consentId) ?? [];
  }

  async *quarantine(): AsyncGenerator<QuarantinePointer> {
    for await (const record of (await this.#cluster.log()).read(TOPICS.quarantine, {
      until: 'end',
      signal: this.#session.signal,
    })) {
      const pointer = this.passedOver.read(record, decodeQuarantinePointer);
      if (pointer !== undefined) yield pointer;
    }
    checkInterrupted(this.#session);
  }

  async recordAt(position: Position): Promise<LogRecord | undefined> {
    return await (await this.#cluster.log()).readAt(position);
  }

  async unsettled(): Promise<ReadonlyMap<number, bigint>> {
    return await (await this.#cluster.log()).lag();
  }

  async *waiting(): AsyncGenerator<LogRecord> {
    yield* waiting(this.#session, await this.#cluster.log());
  }

  keys(): KeyDirectory {
    return this.#cluster.keys();
  }

  async keepLedgers<T>(work: (keeping: LedgerKeeping) => Promise<T>): Promise<T> {
    return await keepClusterLedgers(this.#cluster, await this.policies(), work);
  }

  async ledgers(): Promise<Ledgers> {
    return await clusterLedgers(this.#cluster, await this.policies());
  }

  async auditReading(partition: number): Promise<AuditReading> {
    return await (await this.#cluster.log()).auditReading(partition);
  }

  async restoring<T>(partition: number, work: (log: AuditRestorer) => Promise<T>): Promise<T> {
    const restorer = await (await this.#cluster.log()).auditRestorer(partition);
    try {
      return await work(restorer);
    } finally {
      await restorer.close();
    }
  }

  /** As routers take partitions over (docs/decisions/0011). */
  async fenceRouters(): Promise<void> {
    const partitions = (await (await this.#cluster.log()).ends(TOPICS.audit)).keys();
    for (const partition of partitions) {
      checkInterrupted(this.#session);
      await this.restoring(partition, () => Promise.resolve());
    }
  }

  async custodyReading(region: string): Promise<LogReading> {
    return await (await this.#cluster.log()).custodyReading(region);
  }

  async restoringCustody<T>(
    region: string,
    work: (log: CustodyRestorer) => Promise<T>,
  ): Promise<T> {
    const custody = await (await this.#cluster.log()).custodyLog(region);
    try {
      return await work(custody);
    } finally {
      await custody.close();
    }
  }

  siteReader(site: string, region: string): Promise<SiteReader> {
    return Promise.resolve(this.#cluster.watchedReader(site, region));
  }

  async verifiedReader(site: string, region: string): Promise<SiteReader> {
    return await verifiedReader(this.#cluster, site, region);
  }

  submissionsIn(site: string, region: string): AsyncIterable<readonly string[]> {
    return this.#cluster.watchedSubmissions(site, region);
  }

  async claimSources(region: string): Promise<ClaimSources> {
    const log = await this.#cluster.log();
    const signal = interruptionOf(this.#session);
    const { stateDirectory } = this.#cluster.settings('custody');
    return {
      audit: log.auditFeed(signal),
      custody: log.custodyRecords(region, signal),
      ...(stateDirectory === undefined
        ? {}
        : {
            register: {
              store: new RegisterFile(stateDirectory, region),
              topics: await registerTopics(region, (topic) => log.topicId(topic)),
            },
          }),
    };
  }

  async initSite({ site, region }: SiteIdentity): Promise<void> {
    await initSite(this.#cluster, site, region);
  }

  async comparedSites(
    named: ReadonlyMap<string, ReadonlySet<string>>,
    out: ReadonlySet<string>,
  ): Promise<ComparedSites> {
    return await comparedSites(this.#cluster, named, out);
  }

  trail(regions: () => Iterable<string>): AuditTrail {
    return new KafkaAuditTrail({
      log: () => this.#cluster.log(),
      regions,
      signal: interruptionOf(this.#session),
    });
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  async *#whole(topic: Topic): AsyncGenerator<LogRecord> {
    yield* (await this.#cluster.log()).read(topic, { until: 'end', signal: this.#session.signal });
    checkInterrupted(this.#session);
  }
}
