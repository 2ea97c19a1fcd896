import { FilesystemSiteReader, verifySite } from '@residency/adapter-filesystem';
import type { KeyDirectory } from '@residency/adapter-filesystem';
import type { ConsentHistory } from '@residency/consent';
import { TOPICS } from '@residency/contracts';
import type { LogEntry, LogRecord, Position, QuarantinePointer } from '@residency/contracts';
import { sitesByRegion } from '@residency/reconciliation';
import type { AuditTrail, FoundEntry, SiteReader } from '@residency/reconciliation';
import type { PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import { openDataDirectory, prepareRegions } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { auditTrailOf } from './audit-trail.ts';
import { controlOf } from './control.ts';
import { embeddedLedgers } from './embedded-ledgers.ts';
import { foreignSites } from './foreign-sites.ts';
import type { Ledgers } from './ledgers.ts';
import { leftovers } from './leftovers.ts';
import { publishedOn } from './policies.ts';
import type { AuditQuery, ComparedSites, SubmissionStatus, System } from './system.ts';

/** Opens a data directory; makes it where it is missing. */
export async function openEmbeddedSystem(path: string): Promise<System> {
  return new EmbeddedSystem(await openDataDirectory(path));
}

class EmbeddedSystem implements System {
  // The next batch is read while the disk takes this one; the log keeps their order.
  readonly concurrency = 2;
  readonly #data: DataDirectory;

  constructor(data: DataDirectory) {
    this.#data = data;
  }

  append(entries: readonly LogEntry[]): Promise<readonly Position[]> {
    return this.#data.log.append(entries);
  }

  policies(): Promise<readonly PolicyPublished[]> {
    return publishedOn(this.#data);
  }

  async prepare(document: PolicyDocument): Promise<void> {
    await prepareRegions(this.#data, document);
  }

  async regions(): Promise<readonly string[]> {
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

  controlLog(): AsyncIterable<LogRecord> {
    return this.#data.log.read(TOPICS.control);
  }

  controlView(): Promise<ControlView> {
    return Promise.resolve({ read: () => controlOf(this) });
  }

  findSubmission(submission: string): Promise<SubmissionStatus> {
    return this.#data.log.findSubmission(submission);
  }

  consentHistory(consentId: string): Promise<ConsentHistory> {
    return this.#data.log.consentHistory(consentId);
  }

  quarantine(): AsyncIterable<QuarantinePointer> {
    return this.#data.log.quarantine();
  }

  recordAt(position: Position): Promise<LogRecord | undefined> {
    return this.#data.log.readAt(position);
  }

  async unsettled(): Promise<ReadonlyMap<number, bigint>> {
    const { log } = this.#data;
    // The committed position first: what is settled meanwhile then waits a look longer, and none is missed.
    const committed = (await log.committed()) ?? -1n;
    return new Map([[0, (await log.end(TOPICS.samples)) - committed - 1n]]);
  }

  async *waiting(): AsyncGenerator<LogRecord> {
    const { log } = this.#data;
    yield* log.read(TOPICS.samples, { from: ((await log.committed()) ?? -1n) + 1n });
  }

  keys(): KeyDirectory {
    return this.#data.keys;
  }

  ledgers(): Promise<Ledgers> {
    return embeddedLedgers(this.#data);
  }

  siteReader(site: string): FilesystemSiteReader {
    return new FilesystemSiteReader(this.#data.sitePath(site), site);
  }

  async comparedSites(named: ReadonlyMap<string, ReadonlySet<string>>): Promise<ComparedSites> {
    const readers: FilesystemSiteReader[] = [];
    for (const [region, sites] of named) {
      for (const site of sites) {
        // A disk that is not mounted must not pass for an empty site.
        await verifySite(this.#data.sitePath(site), { region, site });
        readers.push(this.siteReader(site));
      }
    }
    const left = await leftovers(this.#data, readers);
    const foreign = await foreignSites(this.#data, new Set(readers.map(({ site }) => site)));
    return {
      readers: readers.map((reader) => preceded(left.get(reader.site) ?? [], reader)),
      foreign,
    };
  }

  trail(): AuditTrail {
    return auditTrailOf(this.#data);
  }

  close(): Promise<void> {
    return this.#data.close();
  }
}

/** The reader, with these entries listed first. */
function preceded(entries: readonly FoundEntry[], reader: SiteReader): SiteReader {
  return {
    site: reader.site,
    async *list() {
      yield* entries;
      yield* reader.list();
    },
    read: (key) => reader.read(key),
  };
}
