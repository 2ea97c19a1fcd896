import type { KeyDirectory } from '@residency/adapter-filesystem';
import { KafkaAuditTrail, readNow } from '@residency/adapter-kafka';
import type { ConsentHistory } from '@residency/consent';
import { TOPICS, decodeQuarantinePointer } from '@residency/contracts';
import type { LogEntry, LogRecord, Position, QuarantinePointer, Topic } from '@residency/contracts';
import type { AuditTrail, SiteReader } from '@residency/reconciliation';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import { readConfigFile } from '../config-file.ts';
import type { Ledgers } from '../ledgers.ts';
import { checkInterrupted, interruptionOf } from '../session.ts';
import type { Session } from '../session.ts';
import type { AuditQuery, ComparedSites, OnProgress, SubmissionStatus, System } from '../system.ts';
import { auditLog, auditRecords, findSubmission, waiting } from './cluster-audit.ts';
import { clusterLedgers } from './cluster-ledgers.ts';
import { comparedSites, demandRegions } from './cluster-sites.ts';
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

  async prepare(document: PolicyDocument): Promise<void> {
    await demandRegions(this.#cluster, document);
  }

  /** The regions file's: a key is made before the first policy is published, on a machine that need not reach the log. */
  regions(): Promise<readonly string[]> {
    return Promise.resolve([
      ...new Set(this.#cluster.settings('sites').map(({ region }) => region)),
    ]);
  }

  async *auditRecords(query: AuditQuery = {}): AsyncGenerator<Buffer> {
    yield* auditRecords(this.#session, await this.#cluster.log(), query);
  }

  async *auditLog({ from }: { readonly from?: Instant } = {}): AsyncGenerator<LogRecord> {
    yield* auditLog(this.#session, await this.#cluster.log(), from);
  }

  consentLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.consents);
  }

  controlLog(): AsyncGenerator<LogRecord> {
    return this.#whole(TOPICS.control);
  }

  /** Follows the log until this is closed. */
  async controlView(): Promise<ControlView> {
    const log = await this.#cluster.log();
    const view = log.controlView();
    return { read: () => readNow(log, TOPICS.control, view, this.#session.signal) };
  }

  async findSubmission(
    submission: string,
    options: { readonly from?: Instant; readonly onProgress?: OnProgress } = {},
  ): Promise<SubmissionStatus> {
    return await findSubmission(this.#session, await this.#cluster.log(), submission, options);
  }

  async consentHistory(consentId: string): Promise<ConsentHistory> {
    return (await this.#cluster.consents().read([consentId])).histories.get(consentId) ?? [];
  }

  async *quarantine(): AsyncGenerator<QuarantinePointer> {
    for await (const { value } of (await this.#cluster.log()).read(TOPICS.quarantine, {
      until: 'end',
      signal: this.#session.signal,
    })) {
      if (value !== null) yield decodeQuarantinePointer(value);
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

  async ledgers(): Promise<Ledgers> {
    return await clusterLedgers(this.#cluster);
  }

  siteReader(site: string): SiteReader {
    return this.#cluster.reader(site);
  }

  async comparedSites(named: ReadonlyMap<string, ReadonlySet<string>>): Promise<ComparedSites> {
    return await comparedSites(this.#cluster, named);
  }

  trail(): AuditTrail {
    return new KafkaAuditTrail(() => this.#cluster.log(), interruptionOf(this.#session));
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  async *#whole(topic: Topic): AsyncGenerator<LogRecord> {
    yield* (await this.#cluster.log()).read(topic, { until: 'end', signal: this.#session.signal });
    checkInterrupted(this.#session);
  }
}
