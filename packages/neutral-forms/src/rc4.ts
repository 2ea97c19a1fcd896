/**
 * RC4 over a stream: the same calls encrypt and decrypt. It hides nothing, because its key is
 * public. It is here because CaRT is defined with it, and OpenSSL 3 has it no longer in its default
 * provider.
 */
export class Rc4 {
  readonly #state: Uint8Array;
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    this.#state = keySchedule(key);
  }

  /** The next bytes of the stream, in place. */
  apply(bytes: Uint8Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < bytes.length; at += 1) {
      i = (i + 1) & 0xff;
      const left = state[i] ?? 0;
      j = (j + left) & 0xff;
      const right = state[j] ?? 0;
      state[i] = right;
      state[j] = left;
      bytes[at] = (bytes[at] ?? 0) ^ (state[(left + right) & 0xff] ?? 0);
    }
    this.#i = i;
    this.#j = j;
  }
}

function keySchedule(key: Uint8Array): Uint8Array {
  const state = Uint8Array.from({ length: 256 }, (_, index) => index);
  let j = 0;
  for (let i = 0; i < 256; i += 1) {
    const value = state[i] ?? 0;
    j = (j + value + (key[i % key.length] ?? 0)) & 0xff;
    state[i] = state[j] ?? 0;
    state[j] = value;
  }
  return state;
}
