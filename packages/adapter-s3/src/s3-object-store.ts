import { hasCode } from '@residency/coded-error';
import { objectMetadataIn, encodeObjectMetadata, sha256 } from '@residency/contracts';
import type { MarkerWatch, ObjectMetadata } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { CreateOptions, CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import { createOnly } from './create-only.ts';
import type { Pause } from './create-only.ts';
import type { FoundHead, S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import { requireSampleKey } from './require-key.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { watched } from './watched.ts';

export interface S3ObjectStoreOptions {
  readonly pause?: Pause;
  /**
   * Asked before each write, and informed of each failure. Absent: the caller checks the marker.
   */
  readonly watch?: MarkerWatch;
}

/**
 * One site as an S3 bucket. The store itself decides who creates (`If-None-Match: *`); what has the
 * key is compared by its metadata, never by its ETag. What an answer does not say is asked for
 * again before anything is made of it.
 */
export class S3ObjectStore implements ObjectStore {
  readonly site: string;
  readonly #calls: S3Calls;
  readonly #pause: Pause | undefined;
  readonly #watch: MarkerWatch | undefined;

  constructor(
    settings: S3SiteSettings,
    calls: S3Calls = new S3Bucket(settings),
    { pause, watch }: S3ObjectStoreOptions = {},
  ) {
    this.site = settings.site;
    this.#calls = calls;
    this.#pause = pause;
    this.#watch = watch;
  }

  async create(
    key: string,
    sealed: Uint8Array,
    metadata: ObjectMetadata,
    { decided = false }: CreateOptions = {},
  ): Promise<CreateResult> {
    requireSampleKey(key);
    return await watched(this.#watch, async () => {
      const result = await createOnly(
        this.#calls,
        this.site,
        {
          key,
          bytes: sealed,
          sha256: metadata.sealedSha256,
          metadata: encodeObjectMetadata(metadata),
        },
        { looksFirst: !decided, pause: this.#pause },
      );
      return result.created
        ? result
        : {
            created: false,
            existing: await this.#existing(key, result.head, {
              sealedSha256: metadata.sealedSha256,
              bytes: sealed.length,
            }),
          };
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return await watched(this.#watch, async () => {
      const found = await this.#headOrRefused(key);
      if (found !== undefined) return await this.#existing(key, found);
      // Absent only of the site itself.
      this.#watch?.doubt();
      await this.#watch?.fresh();
      return undefined;
    });
  }

  /**
   * AWS answers 403 for a missing object to a caller that may not list, as a router may not. The
   * caller of this function then reads the site's marker, which fails unless reading is permitted.
   * Throws `SITE_REFUSED` if there is no marker to read.
   */
  async #headOrRefused(key: string): Promise<FoundHead | undefined> {
    try {
      return await this.#calls.head(key);
    } catch (error) {
      if (this.#watch === undefined || !hasCode(error, 'SITE_REFUSED')) throw error;
      return undefined;
    }
  }

  /**
   * Nothing is left to do: S3 answers a PUT once the object is durable, and what can be found was
   * answered so to its creator.
   */
  async flush(): Promise<void> {}

  /** Drops the connections; an instance that was closed fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#calls.close();
  }

  /**
   * Reads the object under the key. If the HEAD answer is incomplete, or its length differs from
   * what was sent, reads the object itself.
   */
  async #existing(
    key: string,
    found: FoundHead,
    sent?: { readonly sealedSha256: string; readonly bytes: number },
  ): Promise<ObjectHead> {
    const head = whole(found) ?? whole(await this.#calls.peek(key));
    if (head === undefined) return await this.#nobodys(key);
    if (
      sent === undefined ||
      head.metadata.sealedSha256 !== sent.sealedSha256 ||
      head.bytes === sent.bytes
    )
      return head;
    const read = await this.#calls.get(key, sent.bytes);
    if (read === undefined || sha256(read.bytes) !== sent.sealedSha256)
      return await this.#nobodys(key);
    return { ...head, bytes: sent.bytes };
  }

  /** Only of the site itself: something else in its place has no metadata either. */
  async #nobodys(key: string): Promise<never> {
    this.#watch?.doubt();
    await this.#watch?.fresh();
    throw new S3Error({
      code: 'METADATA_MISSING',
      message: `Expected a router's object under ${key} in site ${this.site}, found an empty one, or other bytes or metadata than a router writes: it was altered or copied without it, or is somebody else's. Restore it with its metadata, or move it out of the site (it can then be routed again), and redrive what was quarantined meanwhile.`,
      remedy: 'park',
    });
  }
}

/**
 * `undefined`: no router's metadata, or no length. A sealed message is never empty, and an audit
 * event cannot hold zero.
 */
function whole(found: FoundHead | undefined): ObjectHead | undefined {
  if (found?.bytes === undefined || found.bytes === 0) return undefined;
  const { bytes, versionId } = found;
  const metadata = objectMetadataIn(found.metadata);
  return metadata === undefined ? undefined : { metadata, bytes, ...defined({ versionId }) };
}
