import type { KeyDirectory } from '@residency/adapter-filesystem';
import type { AuditReading, AuditRestorer, CustodyRestorer, LogReading } from '@residency/auditing';
import type { ConsentHistory } from '@residency/consent';
import { TOPICS, custodyTopic } from '@residency/contracts/log-record';
import type {
  LogEntry,
  LogRecord,
  Position,
  QuarantinePointer,
  SiteIdentity,
} from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditTrail, SiteReader } from '@residency/reconciliation';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import { openDataDirectory } from '@residency/standalone/data-directory';
import { intakeExtent } from '@residency/standalone/observe-intake';
import type { DataDirectory } from '@residency/standalone';
import { auditTrailOf } from './audit-trail.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { LedgerKeeping } from '../ledger/ledger-keeping.ts';
import type { Ledgers } from '../ledger/ledgers.ts';
import { publishedOn } from '../system/published-on.ts';
import { PassedOver } from '../system/passed-over.ts';
import type {
  AuditQuery,
  ClaimSources,
  ComparedSites,
  SubmissionStatus,
  System,
} from '../system/system.ts';

/** Opens a data directory; makes it where it is missing. */
export async function openEmbeddedSystem(path: string, checkpoints?: string): Promise<System> {
  return new EmbeddedSystem(
    await openDataDirectory(path, {
      forReading: true,
      ...defined({ checkpoints }),
    }),
  );
}

/** What reads sites, ledgers and events is loaded by the methods that need it. */
class EmbeddedSystem implements System {
  // The next batch is read while the disk takes this one; the log keeps their order.
  readonly concurrency = 2;
  readonly passedOver = new PassedOver();
  readonly #data: DataDirectory;

  constructor(data: DataDirectory) {
    this.#data = data;
  }

  async append(entries: readonly LogEntry[]): Promise<readonly Position[]> {
    this.#requireWritable();
    return await this.#data.log.append(entries);
  }

  policies(): Promise<readonly PolicyPublished[]> {
    return publishedOn(this.#data);
  }

  async retentionTime(): Promise<Instant> {
    const { state, now, lastAt } = await this.#data.log.clock();
    return state === 'ahead' ? lastAt : now;
  }

  requireRegions(): Promise<void> {
    return Promise.resolve();
  }

  async prepare(document: PolicyDocument): Promise<void> {
    const published = (await this.policies()).map((version) => version.document);
    const { prepareRegions } = await import('@residency/standalone/prepare-regions');
    const { sitesOut } = await import('@residency/contracts');
    const out =
      published.length === 0 ? undefined : sitesOut(await (await this.controlView()).read());
    await prepareRegions(this.#data, document, published, out);
  }

  async regions(): Promise<readonly string[]> {
    const { sitesByRegion } = await import('@residency/reconciliation');
    return [...sitesByRegion(await this.policies()).keys()];
  }

  auditRecords(query?: AuditQuery): AsyncIterable<Buffer> {
    return this.#data.log.auditRecords(query);
  }

  auditLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.audit);
  }

  consentLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.consents);
  }

  subjectLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.subjects);
  }

  async forgetSubjects(consents: readonly string[]): Promise<void> {
    this.#requireWritable();
    await this.#data.log.dropLinks(consents);
  }

  intakeRetention(): Promise<number> {
    return Promise.resolve(0);
  }

  policyLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.policy);
  }

  custodyLog(region: string): AsyncIterable<LogRecord> {
    return this.#data.log.read(custodyTopic(region));
  }

  controlLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.control);
  }

  async controlView(): Promise<ControlView> {
    const { EmbeddedControlView } = await import('@residency/standalone/embedded-control-view');
    return new EmbeddedControlView(this.#data.log);
  }

  findSubmission(submission: string): Promise<SubmissionStatus> {
    return this.#data.log.findSubmission(submission);
  }

  consentHistory(consentId: string): Promise<ConsentHistory> {
    return this.#data.log.consentHistory(consentId);
  }

  async *quarantine(): AsyncGenerator<QuarantinePointer> {
    const { decodeQuarantinePointer } = await import('@residency/contracts');
    for await (const record of this.#data.log.read(TOPICS.quarantine)) {
      const pointer = this.passedOver.read(record, decodeQuarantinePointer);
      if (pointer !== undefined) yield pointer;
    }
  }

  recordAt(position: Position): Promise<LogRecord | undefined> {
    return this.#data.log.readAt(position);
  }

  async unsettled(): Promise<ReadonlyMap<number, bigint>> {
    const { next, end } = await intakeExtent(this.#data.log);
    return new Map([[0, end - next]]);
  }

  async *waiting(): AsyncGenerator<LogRecord> {
    const { log } = this.#data;
    yield* log.read(TOPICS.samples, { from: (await intakeExtent(log)).next });
  }

  keys(): KeyDirectory {
    return this.#data.keys;
  }

  async keepLedgers<T>(work: (keeping: LedgerKeeping) => Promise<T>): Promise<T> {
    const { keepEmbeddedLedger } = await import('../ledger/embedded-ledgers.ts');
    return await keepEmbeddedLedger(this.#data, work);
  }

  async ledgers(): Promise<Ledgers> {
    const { embeddedLedgers } = await import('../ledger/embedded-ledgers.ts');
    return await embeddedLedgers(this.#data);
  }

  async auditReading(): Promise<AuditReading> {
    return await this.#data.log.auditRestorer();
  }

  async restoring<T>(_: number, work: (log: AuditRestorer) => Promise<T>): Promise<T> {
    return await this.#locked(async () => await work(await this.#data.log.auditRestorer()));
  }

  custodyReading(region: string): Promise<LogReading> {
    return Promise.resolve(this.#data.log.custodyReading(region));
  }

  async restoringCustody<T>(
    region: string,
    work: (log: CustodyRestorer) => Promise<T>,
  ): Promise<T> {
    return await this.#locked(async () => await work(await this.#data.log.custodyLog(region)));
  }

  /** A settlement fails if the control log grew since its batch was read. */
  fenceRouters(): Promise<void> {
    this.#requireWritable();
    return Promise.resolve();
  }

  async siteReader(site: string, region: string): Promise<SiteReader> {
    const { embeddedReader } = await import('./embedded-readers.ts');
    return embeddedReader(this.#data, site, region);
  }

  async verifiedReader(site: string, region: string): Promise<SiteReader> {
    const { verifiedReader } = await import('./embedded-readers.ts');
    return await verifiedReader(this.#data, site, region);
  }

  async *submissionsIn(site: string, region: string): AsyncGenerator<readonly string[]> {
    const { submissionsIn } = await import('./embedded-readers.ts');
    yield* submissionsIn(this.#data, site, region);
  }

  /** The log has no topic ids: a copy of the directory has a copy of the register too. */
  async claimSources(region: string): Promise<ClaimSources> {
    const { RegisterFile } = await import('@residency/adapter-filesystem');
    const { log, path } = this.#data;
    return {
      audit: log.auditFeed(),
      custody: log.custodyRecords(region),
      register: { store: new RegisterFile(path, region), topics: {} },
    };
  }

  async initSite({ site, region }: SiteIdentity): Promise<void> {
    this.#requireWritable();
    const { initSite } = await import('@residency/adapter-filesystem');
    await initSite(this.#data.sitePath(site), { site, region });
  }

  async comparedSites(
    named: ReadonlyMap<string, ReadonlySet<string>>,
    out: ReadonlySet<string>,
  ): Promise<ComparedSites> {
    const { comparedSites } = await import('./embedded-readers.ts');
    return await comparedSites(this.#data, named, out);
  }

  trail(regions: () => Iterable<string>): AuditTrail {
    return auditTrailOf(this.#data, regions);
  }

  close(): Promise<void> {
    return this.#data.close();
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    this.#requireWritable();
    const { lockRouting } = await import('@residency/standalone');
    const lock = await lockRouting(this.#data);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  #requireWritable(): void {
    if (this.#data.readOnly)
      throw new CliError({
        code: 'READ_ONLY',
        message:
          'Expected a data directory that can be written, found a read-only one; nothing was changed. Work on the original, or on a copy that can be written.',
        remedy: 'stop',
      });
  }
}
