import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodeObjectMetadata,
  isSetAsideKey,
  objectMetadataIn,
  setAsideKey,
  sha256,
  submissionOfKey,
} from '@residency/contracts';
import type { MarkerWatch, ObjectMetadata, Tombstone } from '@residency/contracts';
import { COPY_BYTES, copyTooLarge, setAsideDiffers } from '@residency/custodianship';
import type { CustodianSite, FoundCopy, NewCopy, Purged, Written } from '@residency/custodianship';
import { defined } from '@residency/defined';
import { createOnly } from './create-only.ts';
import { decided } from './probe.ts';
import { purge } from './purge.ts';
import { requireKey, requireSampleKey } from './require-key.ts';
import type { NewObject, PurgingCalls } from './s3-calls.ts';
import type { S3ObjectStoreOptions } from './s3-object-store.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { failure } from './site-failure.ts';
import { watched } from './watched.ts';

/**
 * One site as an S3 bucket, for a custodian. The store itself decides who creates
 * (`If-None-Match: *`) and whether the object is still the one that was read (`If-Match`): a tag is
 * an ETag.
 */
export class S3CustodianSite implements CustodianSite {
  readonly site: string;
  readonly #calls: PurgingCalls;
  readonly #pause: (ms: number) => Promise<unknown>;
  readonly #watch: MarkerWatch | undefined;

  constructor(
    { site }: Pick<S3SiteSettings, 'site'>,
    calls: PurgingCalls,
    { pause = sleep, watch }: S3ObjectStoreOptions = {},
  ) {
    this.site = site;
    this.#calls = calls;
    this.#pause = pause;
    this.#watch = watch;
  }

  async read(key: string): Promise<FoundCopy | undefined> {
    requireSampleKey(key);
    return await watched(this.#watch, async () => {
      const found = await this.#calls.get(key, COPY_BYTES);
      if (found === undefined) return undefined;
      const { bytes, etag: tag, versionId } = found;
      if (bytes.length > COPY_BYTES) throw copyTooLarge(this.site, key);
      // Without it the condition of a replacement would be that nothing is there.
      if (tag === undefined) throw failure(this.site, 'SITE_FAILED', `${key} without an ETag`);
      return { bytes, tag, ...defined({ metadata: objectMetadataIn(found.metadata), versionId }) };
    });
  }

  /** By a GET of the first byte: a HEAD's answer does not tell a missing bucket from a missing object. */
  async metadata(key: string): Promise<ObjectMetadata | undefined> {
    requireSampleKey(key);
    return await watched(this.#watch, async () =>
      objectMetadataIn((await this.#calls.peek(key))?.metadata),
    );
  }

  async create(copy: NewCopy): Promise<Written> {
    requireSampleKey(copy.key);
    return await watched(this.#watch, async () => {
      const result = await this.#createOnly(objectOf(copy));
      return result.created
        ? { written: true, ...defined({ versionId: result.versionId }) }
        : { written: false };
    });
  }

  async replace(copy: NewCopy, { tag }: FoundCopy): Promise<Written> {
    requireSampleKey(copy.key);
    return await watched(this.#watch, async () => {
      const object = objectOf(copy);
      const result = await decided(this.site, object.key, this.#pause, () =>
        this.#calls.replace(object, tag),
      );
      return result.put === 'replaced'
        ? { written: true, ...defined({ versionId: result.versionId }) }
        : { written: false };
    });
  }

  async setAside(
    submission: string,
    { bytes, metadata }: FoundCopy,
  ): Promise<{ readonly key: string; readonly sha256: string }> {
    const digest = sha256(bytes);
    const key = setAsideKey(submission, digest);
    requireKey(isSetAsideKey(key));
    return await watched(this.#watch, async () => {
      const { created } = await this.#createOnly({
        key,
        bytes,
        sha256: digest,
        metadata: metadata === undefined ? {} : encodeObjectMetadata(metadata),
      });
      if (!created) await this.#requireSame(key, bytes);
      return { key, sha256: digest };
    });
  }

  async purge(
    tombstone: Tombstone,
    submission: string,
    digests: readonly string[],
  ): Promise<Purged> {
    requireKey(submissionOfKey(tombstone.key) === submission);
    for (const digest of digests) requireKey(isSetAsideKey(setAsideKey(submission, digest)));
    const { site } = this;
    const options = { site, tombstone, submission, digests, pause: this.#pause };
    return await watched(this.#watch, () => purge(this.#calls, options));
  }

  /** Nothing is left to do: S3 answers a PUT once the object is durable. */
  async flush(): Promise<void> {}

  /** Drops the connections; an instance that was closed fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#calls.close();
  }

  #createOnly(object: NewObject): ReturnType<typeof createOnly> {
    return createOnly(this.#calls, this.site, object, { looksFirst: true, pause: this.#pause });
  }

  async #requireSame(key: string, bytes: Buffer): Promise<void> {
    const found = await this.#calls.get(key, bytes.length);
    if (found?.bytes.equals(bytes) !== true) throw setAsideDiffers(this.site, key);
  }
}

function objectOf({ key, bytes, metadata }: NewCopy): NewObject {
  return { key, bytes, sha256: metadata.sealedSha256, metadata: encodeObjectMetadata(metadata) };
}
