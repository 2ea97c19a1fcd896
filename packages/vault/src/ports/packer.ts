import type { AccessForm } from '@residency/contracts';

/** A sample as it leaves the vault. */
export interface Packed {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** RFC 6266: an attachment, with its file's name. */
  readonly contentDisposition: string;
}

/** Packs a sample so that nothing opens or runs it by accident. */
export interface Packer {
  pack(form: AccessForm, sample: Buffer, sha256: string): Promise<Packed>;
}
