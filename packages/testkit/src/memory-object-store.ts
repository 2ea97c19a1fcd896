import { CodedError } from '@residency/coded-error';
import type { ObjectMetadata } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';

/** A site in memory, for tests of the code that uses the port. */
export class MemoryObjectStore implements ObjectStore {
  readonly site: string;
  /** The objects that routers and custodians wrote. */
  readonly objects = new Map<
    string,
    { readonly metadata: ObjectMetadata; readonly sealed: Uint8Array }
  >();
  /** Everything else: what was set aside, and objects without a router's metadata. */
  readonly others = new Map<
    string,
    { readonly metadata?: ObjectMetadata; readonly sealed: Uint8Array }
  >();

  constructor(site: string) {
    this.site = site;
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const existing = this.#find(key);
    if (existing !== undefined) return { created: false, existing };
    this.objects.set(key, { metadata, sealed: Uint8Array.from(sealed) });
    return { created: true };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return this.#find(key);
  }

  async flush(): Promise<void> {}

  #find(key: string): ObjectHead | undefined {
    if (this.others.has(key))
      throw new CodedError({
        code: 'METADATA_MISSING',
        message: `Expected a router's object under ${key} in site ${this.site}, found another.`,
        remedy: 'park',
      });
    const found = this.objects.get(key);
    return found === undefined
      ? undefined
      : { metadata: found.metadata, bytes: found.sealed.length };
  }
}
