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

/** What is no message of ours; stores control the bytes. */
export function notSealed(): SealingError {
  return new SealingError({
    code: 'NOT_A_SEALED_SAMPLE',
    message:
      'Expected an AWS Encryption SDK message, version 2, suite 0x0478; found something else. The object was not written by a router, or was altered.',
    remedy: 'stop',
  });
}
