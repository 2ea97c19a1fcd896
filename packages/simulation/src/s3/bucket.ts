import { createHash } from 'node:crypto';

export interface SimObject {
  readonly bytes: Buffer;
  readonly metadata: Readonly<Record<string, string>>;
  readonly etag: string;
  /** Virtual milliseconds. */
  readonly since: number;
}

export interface NewObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How an object came to be there. */
export interface Put {
  /** The name of the process that sent it; absent: the world's own doing. */
  readonly by?: string | undefined;
  /** What had the key before. */
  readonly before?: SimObject | undefined;
}

export interface BucketOptions {
  /** As requests and the weather name it. */
  readonly name: string;
  readonly now: () => number;
  /** Told of each object that is created or put in another's place. */
  readonly put: (key: string, object: SimObject, put: Put) => void;
}

const SAMPLES = 'samples/';

/**
 * One bucket of an object store with conditional writes; or a disk, which keeps only what was
 * flushed.
 */
export class SimBucket {
  readonly name: string;
  objects = new Map<string, SimObject>();
  readonly #options: BucketOptions;
  readonly #durable = new Set<SimObject>();
  /** Of the conditional writes: answered 409 although nothing else was under way. */
  conflicts = 0;
  /** Refuses everything: 403, or full. */
  refuses: 'SITE_REFUSED' | 'SITE_FULL' | undefined;

  constructor(options: BucketOptions) {
    this.name = options.name;
    this.#options = options;
  }

  create({ key, bytes, metadata }: NewObject, by?: string): SimObject {
    const before = this.objects.get(key);
    const object = {
      bytes: Buffer.from(bytes),
      metadata: { ...metadata },
      etag: `"${createHash('md5').update(bytes).digest('hex')}"`,
      since: this.#options.now(),
    };
    this.objects.set(key, object);
    this.#options.put(key, object, { by, before });
    return object;
  }

  /** What is there now survives a power cut. */
  flush(): void {
    for (const object of this.objects.values()) this.#durable.add(object);
  }

  /** What was not flushed is gone. Returns how many objects. */
  cutPower(): number {
    const gone = [...this.objects].filter(
      ([key, object]) => key.startsWith(SAMPLES) && !this.#durable.has(object),
    );
    for (const [key] of gone) this.objects.delete(key);
    return gone.length;
  }
}
