import type {
  FoundBytes,
  FoundHead,
  FoundUpload,
  FoundVersion,
  KeyPage,
  NewObject,
  PurgingCalls,
  PutResult,
  ReplaceResult,
} from '../src/s3-calls.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';

export const SOME_SETTINGS: S3SiteSettings = {
  site: 'zrh-1',
  region: 'zurich',
  bucket: 'some-bucket',
  endpoint: 'http://127.0.0.1:9',
  awsRegion: 'us-east-1',
  pathStyle: true,
  checksums: 'WHEN_REQUIRED',
};

/** A bucket as a map, for what a real one can not be brought to answer. */
export class FakeBucket implements PurgingCalls {
  readonly objects = new Map<string, FoundBytes & { readonly versionId?: string }>();
  /** What was replaced, if `isVersioned`, and what tests put here. */
  older: FoundVersion[] = [];
  unfinished: FoundUpload[] = [];
  isVersioned = false;
  locked = false;
  /** False: the store keeps none. */
  hasVersions = true;
  /** False: the store has no such feature. */
  hasUploads = true;
  readonly asked: string[] = [];
  closed = 0;
  renewed = 0;
  #puts = 0;
  #uploads = 0;

  async putIfAbsent({ key, bytes, metadata }: NewObject): Promise<PutResult> {
    this.asked.push('put');
    if (this.objects.has(key)) return { put: 'exists' };
    this.#put(key, bytes, metadata);
    return { put: 'created' };
  }

  async replace(
    { key, bytes, metadata }: NewObject,
    etag: string | undefined,
  ): Promise<ReplaceResult> {
    this.asked.push('replace');
    if (this.objects.get(key)?.etag !== etag) return { put: 'differs' };
    this.#put(key, bytes, metadata);
    return { put: 'replaced' };
  }

  async head(key: string): Promise<FoundHead | undefined> {
    this.asked.push('head');
    const found = this.objects.get(key);
    return found === undefined ? undefined : { ...found, bytes: found.bytes.length };
  }

  async peek(key: string): Promise<FoundHead | undefined> {
    this.asked.push('peek');
    const found = this.objects.get(key);
    return found === undefined ? undefined : { ...found, bytes: found.bytes.length };
  }

  async get(key: string): Promise<FoundBytes | undefined> {
    this.asked.push('get');
    return this.objects.get(key);
  }

  async list(
    prefix: string,
    { from, maxKeys }: { readonly from?: string; readonly maxKeys: number },
  ): Promise<KeyPage> {
    this.asked.push('list');
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .toSorted()
      .filter((key) => from === undefined || key > from);
    const page = keys.slice(0, maxKeys);
    const next = page.at(-1);
    return { keys: page, ...(keys.length > maxKeys && next !== undefined ? { next } : {}) };
  }

  async isLocked(): Promise<boolean> {
    this.asked.push('lock');
    return this.locked;
  }

  async versions(prefix: string): Promise<readonly FoundVersion[]> {
    this.asked.push('versions');
    const newest = [...this.objects.keys()].map((key) => ({
      key,
      isNewest: true,
      ...(this.hasVersions ? { versionId: 'newest' } : {}),
    }));
    return [...newest, ...this.older].filter(({ key }) => key.startsWith(prefix));
  }

  async deleteVersion(key: string, versionId: string | undefined): Promise<void> {
    this.asked.push(`delete ${versionId}`);
    if (versionId === 'newest' || versionId === undefined) this.objects.delete(key);
    this.older = this.older.filter((one) => one.key !== key || one.versionId !== versionId);
  }

  async uploads(prefix: string): Promise<readonly FoundUpload[]> {
    this.asked.push('uploads');
    return this.unfinished.filter(({ key }) => key.startsWith(prefix));
  }

  async beginUpload(key: string): Promise<string | undefined> {
    this.asked.push('begin');
    if (!this.hasUploads) return undefined;
    this.#uploads += 1;
    this.unfinished.push({ key, uploadId: `upload-${this.#uploads}` });
    return `upload-${this.#uploads}`;
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    this.asked.push(`abort ${uploadId}`);
    this.unfinished = this.unfinished.filter((one) => one.key !== key || one.uploadId !== uploadId);
  }

  #put(key: string, bytes: Uint8Array, metadata: NewObject['metadata']): void {
    this.#puts += 1;
    if (this.isVersioned && this.objects.has(key))
      this.older.push({ key, versionId: `before-${this.#puts}`, isNewest: false });
    this.objects.set(key, { bytes: Buffer.from(bytes), metadata, etag: `"${this.#puts}"` });
  }

  renew(): void {
    this.renewed += 1;
  }

  close(): void {
    this.closed += 1;
  }
}

/** Ignores every condition, for as long as it is told to. */
export class OverwritingBucket extends FakeBucket {
  overwrites = true;

  override async putIfAbsent(object: NewObject): Promise<PutResult> {
    if (this.overwrites) this.objects.delete(object.key);
    return await super.putIfAbsent(object);
  }

  override async replace(object: NewObject, etag: string | undefined): Promise<ReplaceResult> {
    return await super.replace(object, this.overwrites ? this.objects.get(object.key)?.etag : etag);
  }
}
