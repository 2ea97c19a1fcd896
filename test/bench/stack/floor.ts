import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { LogRecord } from '@residency/contracts';

// The least work that any router of these samples must do: consume, hash (SHA-256), encrypt
// (AES-256-GCM, a fresh key each) and put to as many sites by plain HTTP, in any order. No
// decision, no key wrapping, no signed request, no audit event, no transaction.
const SOCKETS = 64;
const MOST_IN_WORK = 2 * SOCKETS;

interface Bucket {
  readonly url: string;
  readonly agent: Agent;
}

export class Floor {
  readonly #buckets: readonly Bucket[];

  /** `urls`: of the buckets. */
  constructor(urls: readonly string[]) {
    this.#buckets = urls.map((url) => ({
      url,
      agent: new Agent({ keepAlive: true, maxSockets: SOCKETS }),
    }));
  }

  /** Puts every record into every bucket. Returns the number of records. */
  async store(records: AsyncIterable<LogRecord>): Promise<number> {
    const inWork = new InWork();
    let count = 0;
    for await (const record of records) {
      await inWork.fewerThan(MOST_IN_WORK);
      inWork.add(store(record, this.#buckets));
      count += 1;
    }
    await inWork.fewerThan(1);
    return count;
  }
}

async function put({ url, agent }: Bucket, name: string, bytes: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request(
    `${url}/${name}`,
    { method: 'PUT', agent, headers: { 'content-length': bytes.length } },
    (answer) => {
      if (answer.statusCode !== 200)
        reject(
          new Error(
            `Expected the endpoint to store everything, found status ${String(answer.statusCode)}.`,
          ),
        );
      answer.resume().once('end', resolve).once('error', reject);
    },
  )
    .once('error', reject)
    .end(bytes);
  await promise;
}

async function store({ value }: LogRecord, buckets: readonly Bucket[]): Promise<void> {
  const sample = value ?? Buffer.alloc(0);
  const name = createHash('sha256').update(sample).digest('hex');
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', randomBytes(32), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(sample), cipher.final(), cipher.getAuthTag()]);
  await Promise.all(buckets.map((bucket) => put(bucket, name, sealed)));
}

/** Limits the concurrent work. */
class InWork {
  #count = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  add(work: Promise<void>): void {
    this.#count += 1;
    void work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#count -= 1;
        this.#wake?.();
      });
  }

  async fewerThan(limit: number): Promise<void> {
    while (this.#count >= limit && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
