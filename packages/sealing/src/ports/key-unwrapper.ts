/** Holds the private keys of one region, retired ones too: files, an HSM or a KMS. */
export interface KeyUnwrapper {
  /**
   * Unwraps a data key: RSA-OAEP with SHA-256 for hash and mask (docs/formats/sealed-sample.md).
   * Stores control both values. The caller overwrites the memory that it is given.
   *
   * Throws `NO_KEY_FOR_MESSAGE` if there is no such key, `DOES_NOT_OPEN` if it did not wrap these
   * bytes, `UNWRAP_REFUSED` if its holder does not allow it, and `UNWRAP_UNREACHABLE` or another
   * coded error with remedy `retry` if it cannot be asked now. Throws the reason of `signal` once
   * that is aborted. No error repeats bytes of a key.
   */
  unwrap(keyId: string, wrapped: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}
