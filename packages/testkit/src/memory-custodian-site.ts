import { CodedError } from '@residency/coded-error';
import {
  isSetAsideKey,
  setAsideKey,
  sha256,
  submissionOfKey,
  submissionOfSetAsideKey,
} from '@residency/contracts';
import type { ObjectMetadata, Tombstone } from '@residency/contracts';
import { COPY_BYTES, copyTooLarge, setAsideDiffers } from '@residency/custodianship';
import type { CustodianSite, FoundCopy, NewCopy, Purged, Written } from '@residency/custodianship';
import type { MemoryObjectStore } from './memory-object-store.ts';

/** A site in memory, for tests of the code that uses the port. */
export class MemoryCustodianSite implements CustodianSite {
  readonly site: string;
  readonly #store: MemoryObjectStore;

  /** `store`: the same site, as a router has it. */
  constructor(store: MemoryObjectStore) {
    this.site = store.site;
    this.#store = store;
  }

  async read(key: string): Promise<FoundCopy | undefined> {
    requireKey(submissionOfKey(key) !== undefined);
    const found = this.#at(key);
    if (found === undefined) return undefined;
    const { sealed, metadata } = found;
    if (sealed.length > COPY_BYTES) throw copyTooLarge(this.site, key);
    return {
      bytes: Buffer.from(sealed),
      tag: sha256(sealed),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  async metadata(key: string): Promise<ObjectMetadata | undefined> {
    requireKey(submissionOfKey(key) !== undefined);
    return this.#at(key)?.metadata;
  }

  async create(copy: NewCopy): Promise<Written> {
    requireKey(submissionOfKey(copy.key) !== undefined);
    return this.#write(copy, this.#at(copy.key) === undefined);
  }

  async replace(copy: NewCopy, { tag }: FoundCopy): Promise<Written> {
    requireKey(submissionOfKey(copy.key) !== undefined);
    const standing = this.#at(copy.key);
    return this.#write(copy, standing !== undefined && sha256(standing.sealed) === tag);
  }

  async setAside(
    submission: string,
    { bytes, metadata }: FoundCopy,
  ): Promise<{ readonly key: string; readonly sha256: string }> {
    const digest = sha256(bytes);
    const key = setAsideKey(submission, digest);
    requireKey(isSetAsideKey(key));
    const standing = this.#store.others.get(key);
    if (standing !== undefined && sha256(standing.sealed) !== digest)
      throw setAsideDiffers(this.site, key);
    if (standing === undefined)
      this.#store.others.set(key, {
        sealed: Uint8Array.from(bytes),
        ...(metadata === undefined ? {} : { metadata }),
      });
    return { key, sha256: digest };
  }

  async purge(
    { key: tombstoneKey, bytes }: Tombstone,
    submission: string,
    digests: readonly string[],
  ): Promise<Purged> {
    requireKey(submissionOfKey(tombstoneKey) === submission);
    for (const digest of digests) requireKey(isSetAsideKey(setAsideKey(submission, digest)));
    const { others } = this.#store;
    const standing = [...others.keys()].filter(
      (key) => submissionOfSetAsideKey(key) === submission,
    );
    const replaced = standing.filter(
      (key) =>
        others.get(key)?.metadata !== undefined ||
        !bytes.equals(others.get(key)?.sealed ?? Buffer.alloc(0)),
    );
    for (const key of [...standing, ...digests.map((digest) => setAsideKey(submission, digest))])
      others.set(key, { sealed: Uint8Array.from(bytes) });
    return { versions: 0, setAside: replaced.length, uploads: 0 };
  }

  async flush(): Promise<void> {}

  #at(
    key: string,
  ): { readonly metadata?: ObjectMetadata; readonly sealed: Uint8Array } | undefined {
    return this.#store.others.get(key) ?? this.#store.objects.get(key);
  }

  #write({ key, bytes, metadata }: NewCopy, isAllowed: boolean): Written {
    if (!isAllowed) return { written: false };
    this.#store.others.delete(key);
    this.#store.objects.set(key, { metadata, sealed: Uint8Array.from(bytes) });
    return { written: true };
  }
}

function requireKey(isValid: boolean): void {
  if (isValid) return;
  throw new CodedError({
    code: 'INVALID_OBJECT_KEY',
    message: 'Expected the key of a sample object, found another.',
    remedy: 'stop',
  });
}
