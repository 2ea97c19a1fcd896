import { decodeObjectMetadata, encodeObjectMetadata, submissionOfKey } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import { createOnly } from './create-only.ts';
import type { Pause } from './create-only.ts';
import type { FoundHead, S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { S3SiteSettings } from './s3-settings.ts';

/**
 * One site as an S3 bucket. The store itself decides who creates (`If-None-Match: *`); what stands there is compared by its metadata,
 * never by its ETag. Verifies no marker: `S3Sites` does, before it gives one away.
 */
export class S3ObjectStore implements ObjectStore {
  readonly site: string;
  readonly #calls: S3Calls;
  readonly #pause: Pause | undefined;

  constructor(settings: S3SiteSettings, calls: S3Calls = new S3Bucket(settings), pause?: Pause) {
    this.site = settings.site;
    this.#calls = calls;
    this.#pause = pause;
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    if (submissionOfKey(key) === undefined) {
      throw new S3Error({
        code: 'INVALID_OBJECT_KEY',
        message:
          'Expected the key of a sample object, found another. This is a defect of the caller: report it.',
        remedy: 'stop',
      });
    }
    const result = await createOnly(
      this.#calls,
      this.site,
      {
        key,
        bytes: sealed,
        sha256: metadata.sealedSha256,
        metadata: encodeObjectMetadata(metadata),
      },
      this.#pause,
    );
    return result.created ? result : { created: false, existing: this.#existing(key, result.head) };
  }

  /** Nothing is left to do: S3 answers a PUT once the object is durable, and what can be found was answered so to its creator. */
  async flush(): Promise<void> {}

  /** Drops the connections; an instance that was closed fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#calls.close();
  }

  #existing(key: string, { metadata, ...found }: FoundHead): ObjectHead {
    try {
      // A sealed message is never empty, and an audit event can not say that it is.
      if (found.bytes > 0) return { metadata: decodeObjectMetadata(metadata), ...found };
    } catch {
      // Not a router's metadata: named as such below.
    }
    throw new S3Error({
      code: 'METADATA_MISSING',
      message: `Expected a router's object under ${key} in site ${this.site}, found an empty one, or other metadata than a router writes: it was altered or copied without it, or is somebody else's. Restore it with its metadata, or move it out of the site (it can then be routed anew), and redrive what was quarantined meanwhile.`,
      remedy: 'park',
    });
  }
}
