import { decodeContext, keyNamespace } from './encryption-context.ts';
import type { SealingContext } from './sealing-context.ts';
import { SealingError } from './sealing-error.ts';

/** AES-256-GCM, HKDF-SHA-512, key commitment, no signature (AWS Encryption SDK, algorithm suites). */
export const SUITE = 0x0478;
const MESSAGE_VERSION = 2;
const MESSAGE_ID_BYTES = 32;

/** What a message says of itself before anybody opened it: true only once it opened. */
export interface SealedHeader extends SealingContext {
  /** Ids of the keys its data key is wrapped with: ours have one. */
  readonly wrappingKeys: readonly string[];
}

/**
 * Reads the header of an AWS Encryption SDK message, format version 2 (developer guide, "message format reference"),
 * without a key. The SDK's own reader is declared to be for the SDK alone. Stores control the bytes: anything but a
 * message of ours throws `NOT_A_SEALED_SAMPLE` or `CONTEXT_INVALID`.
 */
export function readSealedHeader(message: Uint8Array): SealedHeader {
  const fields = new Fields(message);
  if (fields.uint(1) !== MESSAGE_VERSION || fields.uint(2) !== SUITE) throw notSealed();
  fields.bytes(MESSAGE_ID_BYTES);
  const context = decodeContext(readContext(new Fields(fields.bytes(fields.uint(2)))));
  const namespace = keyNamespace(context.region);
  const wrappingKeys = Array.from({ length: fields.uint(2) }, () => {
    const provider = fields.text();
    const id = fields.text();
    fields.bytes(fields.uint(2));
    if (provider !== namespace) {
      throw new SealingError({ code: 'CONTEXT_INVALID', message: `Expected a data key wrapped for ${namespace}, to which the message is bound; found another key provider. A router did not seal this.`, remedy: 'stop' });
    }
    return id;
  });
  return { ...context, wrappingKeys };
}

function readContext(fields: Fields): Record<string, string> {
  const pairs = Array.from({ length: fields.uint(2) }, (): [string, string] => [fields.text(), fields.text()]);
  if (!fields.atEnd || new Set(pairs.map(([name]) => name)).size < pairs.length) throw notSealed();
  return Object.fromEntries(pairs);
}

/** Big-endian, length-prefixed fields; beyond the end is `NOT_A_SEALED_SAMPLE`. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw notSealed();
    const field = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return field;
  }

  uint(length: 1 | 2): number {
    return this.bytes(length).readUIntBE(0, length);
  }

  text(): string {
    return this.bytes(this.uint(2)).toString('utf8');
  }
}

export function notSealed(): SealingError {
  return new SealingError({ code: 'NOT_A_SEALED_SAMPLE', message: 'Expected an AWS Encryption SDK message, version 2, suite 0x0478; found something else. The object was not written by a router, or was altered.', remedy: 'stop' });
}
