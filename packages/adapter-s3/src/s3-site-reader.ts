import {
  ERASURE_PROBE_KEYS,
  OBJECT_PREFIX,
  SITE_MARKER_KEY,
  SITE_PROBE,
  SITE_PROBE_KEY,
  isSetAsideKey,
  submissionOfKey,
} from '@residency/contracts';
import type { SubmissionList } from '@residency/custodianship';
import { defined } from '@residency/defined';
import type { FoundEntry, FoundObject, SiteReader } from '@residency/reconciliation';
import { merged } from './merged.ts';
import { observed } from './observed-calls.ts';
import type { OnRequest } from './observed-calls.ts';
import type { S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import type { S3SiteSettings } from './s3-settings.ts';

/** S3's own limit of a page. */
const PAGE_KEYS = 1_000;
const DIGITS = Array.from({ length: 16 }, (_, digit) => digit.toString(16));
/** Lists of one bucket at a time: each page names the next one, so one list alone is slow. */
const LISTS = 8;
/**
 * Far beyond what a router writes. A larger object, which somebody else wrote, must not fill the
 * reader's memory: it is truncated, and then differs from its event.
 */
const READ_BYTES = 256 * 1_024 * 1_024;

export interface S3SiteReaderOptions {
  readonly calls?: S3Calls;
  readonly onRequest?: OnRequest;
  /** Awaited before each request, also each page of a list. */
  readonly before?: () => Promise<void>;
}

/** Reads one site's bucket, with credentials that may list and get, and nothing else. */
export class S3SiteReader implements SiteReader, SubmissionList {
  readonly site: string;
  readonly #calls: S3Calls;
  readonly #before: () => Promise<void>;

  constructor(
    settings: S3SiteSettings,
    {
      calls = new S3Bucket(settings),
      onRequest,
      before = () => Promise.resolve(),
    }: S3SiteReaderOptions = {},
  ) {
    this.site = settings.site;
    this.#calls = observed(calls, settings.site, onRequest);
    this.#before = before;
  }

  /**
   * A stream: memory does not grow with the site. Throws `SITE_MISSING` where there is no bucket.
   * Sees current versions only, and no unfinished multipart uploads.
   */
  async *list(prefix = ''): AsyncGenerator<FoundEntry> {
    for await (const keys of this.#pages(prefix))
      for (const key of keys) {
        if (key !== SITE_MARKER_KEY && !(await this.#isProbe(key)))
          yield { key, foreign: submissionOfKey(key) === undefined && !isSetAsideKey(key) };
      }
  }

  /** One list for each first digit of a submission id, several at a time. */
  async *submissions(): AsyncGenerator<readonly string[]> {
    const lists = DIGITS.map((digit) => this.#pages(`${OBJECT_PREFIX}${digit}`));
    for await (const keys of merged(lists, LISTS))
      yield keys.map(submissionOfKey).filter((submission) => submission !== undefined);
  }

  async read(key: string): Promise<FoundObject | undefined> {
    if (submissionOfKey(key) === undefined && !isSetAsideKey(key)) return undefined;
    await this.#before();
    const found = await this.#calls.get(key, READ_BYTES);
    if (found === undefined) return undefined;
    const { bytes, metadata } = found;
    return Object.keys(metadata).length === 0 ? { bytes } : { bytes, metadata };
  }

  async *#pages(prefix: string): AsyncGenerator<readonly string[]> {
    let from: string | undefined;
    do {
      await this.#before();
      const { keys, next } = await this.#calls.list(prefix, {
        maxKeys: PAGE_KEYS,
        ...defined({ from }),
      });
      yield keys;
      from = next;
    } while (from !== undefined);
  }

  /**
   * Identified by its bytes. Any other object under its key was written neither by one of our
   * services nor by an initialisation.
   */
  async #isProbe(key: string): Promise<boolean> {
    // A store that was killed while it wrote that of erasing may show it at a longer key.
    const isItsKey = ERASURE_PROBE_KEYS.some((probe) => key.startsWith(probe));
    if (key !== SITE_PROBE_KEY && !isItsKey) return false;
    const found = await this.#calls.get(key, SITE_PROBE.length);
    return found === undefined || found.bytes.equals(SITE_PROBE);
  }

  /** Drops the connections. */
  close(): void {
    this.#calls.close();
  }
}
