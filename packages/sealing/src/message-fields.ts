import { SealingError } from './sealing-error.ts';

/** Big-endian, length-prefixed fields; beyond the end is `NOT_A_SEALED_SAMPLE`. */
export class MessageFields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get at(): number {
    return this.#at;
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

  uint(length: 1 | 2 | 4): number {
    return this.bytes(length).readUIntBE(0, length);
  }

  text(): string {
    return this.bytes(this.uint(2)).toString('utf8');
  }
}

/**
 * Writes what `MessageFields` reads, into memory of the caller's. A value that does not fit its
 * field, and a field that does not fit the memory, throw `RangeError`.
 */
export class MessageFieldsWriter {
  readonly #into: Buffer;
  #at = 0;

  constructor(into: Buffer) {
    this.#into = into;
  }

  bytes(bytes: Uint8Array): void {
    this.#into.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  uint(length: 1 | 2 | 4, value: number): void {
    this.#at = this.#into.writeUIntBE(value, this.#at, length);
  }

  /** What was written from `start` on: a view. */
  since(start: number): Buffer {
    return this.#into.subarray(start, this.#at);
  }
}

/** The bytes are no message of this system. Stores control them. */
export function notSealed(): SealingError {
  return new SealingError({
    code: 'NOT_A_SEALED_SAMPLE',
    message:
      'Expected an AWS Encryption SDK message, version 2, suite 0x0478; found something else. The object was not written by a router, or was altered.',
    remedy: 'stop',
  });
}
