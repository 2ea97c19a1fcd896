import type { ObjectMetadata } from '@residency/contracts';
import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';

/** A site in memory, for tests of what stands above the port. */
export class MemoryObjectStore implements ObjectStore {
  readonly site: string;
  readonly objects = new Map<
    string,
    { readonly metadata: ObjectMetadata; readonly sealed: Uint8Array }
  >();

  constructor(site: string) {
    this.site = site;
  }

  async create(key: string, sealed: Uint8Array, metadata: ObjectMetadata): Promise<CreateResult> {
    const existing = this.head(key);
    if (existing !== undefined) return { created: false, existing };
    this.objects.set(key, { metadata, sealed: Uint8Array.from(sealed) });
    return { created: true };
  }

  head(key: string): ObjectHead | undefined {
    const found = this.objects.get(key);
    return found === undefined
      ? undefined
      : { metadata: found.metadata, bytes: found.sealed.length };
  }

  async flush(): Promise<void> {}
}
