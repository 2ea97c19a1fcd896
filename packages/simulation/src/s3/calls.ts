import { S3Error } from '@residency/adapter-s3';
import { ERASURE_PROBE_KEYS } from '@residency/contracts';
import type { Answer } from '../answer.ts';
import { request } from '../network.ts';
import { hereIfAny } from '../process.ts';
import type { NewObject, SimBucket } from './bucket.ts';

type Code = 'SITE_UNREACHABLE' | 'SITE_REFUSED' | 'SITE_FULL';

/** As the adapter's own client has them. */
export interface Hooks {
  readonly beforeWrite?: () => Promise<void>;
  readonly failed?: () => void;
}

/**
 * What a process asks a bucket through a client of its own: `S3Calls` and `PurgingCalls` of the
 * adapter.
 */
export function callsOf(bucket: SimBucket, hooks: Hooks = {}): object {
  const { name, objects } = { name: bucket.name, objects: () => bucket.objects };
  const by = hereIfAny()?.name;
  const ask = async <T>(what: string, serve: () => T, writes = false): Promise<T> => {
    if (writes) await hooks.beforeWrite?.();
    try {
      return await request<T>({
        service: `s3:${name}`,
        what,
        silence: () => failure(name, 'SITE_UNREACHABLE'),
        serve: (answer) => {
          answerOf(bucket, answer, serve, writes);
        },
      });
    } catch (error) {
      hooks.failed?.();
      throw error;
    }
  };
  return {
    // Without a request for the probes of erasing: seeds stay the worlds that they were.
    putIfAbsent: (object: NewObject) =>
      isErasureProbe(object.key)
        ? Promise.resolve({ put: 'exists' })
        : ask(
            `put ${short(object.key)}`,
            () => {
              if (objects().has(object.key)) return { put: 'exists' };
              if (bucket.conflicts === 0)
                return { put: 'created', etag: bucket.create(object, by).etag };
              bucket.conflicts -= 1;
              return { put: 'conflict' };
            },
            true,
          ),
    head: (key: string) => ask(`head ${short(key)}`, () => headOf(bucket, key)),
    peek: (key: string) => ask(`peek ${short(key)}`, () => headOf(bucket, key)),
    get: (key: string) =>
      isErasureProbe(key)
        ? Promise.resolve(undefined)
        : ask(`get ${short(key)}`, () => {
            const found = objects().get(key);
            return found === undefined
              ? undefined
              : { metadata: found.metadata, bytes: Buffer.from(found.bytes), etag: found.etag };
          }),
    list: (prefix: string, { maxKeys }: { readonly maxKeys: number }) =>
      isErasureProbe(prefix)
        ? Promise.resolve({ keys: [] })
        : ask('list', () => ({
            keys: [...objects().keys()].filter((key) => key.startsWith(prefix)).slice(0, maxKeys),
          })),
    replace: (object: NewObject, etag: string | undefined) =>
      ask(
        `replace ${short(object.key)}`,
        () => {
          if (objects().get(object.key)?.etag !== etag) return { put: 'differs' };
          bucket.create(object, by);
          return { put: 'replaced' };
        },
        true,
      ),
    // Without a request: it has none of these, and seeds stay the worlds that they were.
    isLocked: () => Promise.resolve(false),
    versions: () => Promise.resolve([]),
    uploads: () => Promise.resolve([]),
    beginUpload: () => Promise.resolve(undefined),
    renew: () => undefined,
    close: () => undefined,
  };
}

function isErasureProbe(key: string): boolean {
  return ERASURE_PROBE_KEYS.some((probe) => probe === key);
}

function headOf({ objects }: SimBucket, key: string): object | undefined {
  const found = objects.get(key);
  return found === undefined ? undefined : { metadata: found.metadata, bytes: found.bytes.length };
}

function answerOf<T>(
  { name, refuses }: SimBucket,
  answer: Answer<T>,
  serve: () => T,
  writes: boolean,
): void {
  if (refuses === undefined || (refuses === 'SITE_FULL' && !writes)) answer.ok(serve());
  else answer.fail(failure(name, refuses));
}

export function failure(name: string, code: Code): S3Error {
  return new S3Error({
    code,
    message: `Expected site ${name} to carry out a request, found ${code}.`,
    remedy: 'retry',
  });
}

function short(key: string): string {
  return key.length > 40 ? `…${key.slice(-8)}` : key;
}
