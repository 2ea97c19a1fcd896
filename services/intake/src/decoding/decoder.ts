import { Worker } from 'node:worker_threads';
import { isCloudEventsType } from '@residency/cloudevents';
import type { HttpContent } from '@residency/cloudevents';
import { IntakeError } from '../intake-error.ts';
import { decodeBody, unpackEvents } from './decoding.ts';
import type { Decoding } from './decoding.ts';
import type { DecodingRequest, DecodingResponse } from './decoding-worker.ts';

/**
 * JSON up to this size is decoded on this thread, in some milliseconds at worst. So is every sample
 * in binary mode, because it is not parsed.
 */
const INLINE_BYTES = 64 * 1024;

/**
 * Decodes bodies. A large JSON body takes up to half a second, during which this thread could
 * answer no probe and no other client. A thread of its own decodes those, one after the other; it
 * is started for the first.
 */
export class Decoder {
  readonly #waiting = new Map<number, PromiseWithResolvers<Decoding>>();
  #worker: Worker | undefined;
  #nextId = 0;

  /**
   * `content.body` is transferred and must not be used afterwards. Throws `DECODER_FAILED` (retry).
   */
  async decode(content: HttpContent): Promise<Decoding> {
    const type = content.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
    if (content.body.length <= INLINE_BYTES || !isCloudEventsType(type)) return decodeBody(content);
    const id = this.#nextId++;
    const answer = Promise.withResolvers<Decoding>();
    this.#waiting.set(id, answer);
    this.#worker ??= this.#start();
    const { buffer } = content.body;
    this.#worker.postMessage(
      { id, ...content } satisfies DecodingRequest,
      buffer instanceof ArrayBuffer ? [buffer] : [],
    );
    return await answer.promise;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./decoding-worker.ts', import.meta.url));
    worker.unref();
    worker.on('message', (response: DecodingResponse) => {
      const answer = this.#waiting.get(response.id);
      this.#waiting.delete(response.id);
      answer?.resolve('packed' in response ? unpackEvents(response.packed) : response);
    });
    // The thread ended because of a defect or a lack of memory. Publishers send its requests again,
    // to the next thread.
    worker.on('error', () => {
      this.#fail(worker);
    });
    worker.on('exit', () => {
      this.#fail(worker);
    });
    return worker;
  }

  #fail(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const error = new IntakeError({
      code: 'DECODER_FAILED',
      remedy: 'retry',
      message:
        'Expected the thread that reads large bodies to go on, found it ended. Send it again.',
    });
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}
