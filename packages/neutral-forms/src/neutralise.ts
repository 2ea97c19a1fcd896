import { hash } from 'node:crypto';
import { cart } from './cart.ts';
import { NeutralFormError } from './neutral-form-error.ts';
import { zip } from './zip.ts';

/** How a sample may leave the vault. `raw` is the sample as it is. */
export const FORMS = ['cart', 'zip', 'zip-legacy', 'raw'] as const;
export type Form = (typeof FORMS)[number];
export const DEFAULT_FORM: Form = 'cart';

export interface SampleNames {
  /** The file's name without its ending: 1 to 128 of A-Z a-z 0-9 - _. */
  readonly name: string;
  /** The lower-case hex SHA-256 of the sample: its name inside the file. */
  readonly sha256: string;
}

export interface NeutralFile {
  readonly bytes: Uint8Array;
  /** No type that a browser renders or a system runs. */
  readonly contentType: string;
  readonly fileName: string;
  /** The value of `Content-Disposition` (RFC 6266): saved, not shown. */
  readonly contentDisposition: string;
}

const KINDS: Readonly<Record<Form, { readonly contentType: string; readonly ending: string }>> = {
  cart: { contentType: 'application/x-cart', ending: 'cart' },
  zip: { contentType: 'application/zip', ending: 'zip' },
  'zip-legacy': { contentType: 'application/zip', ending: 'zip' },
  raw: { contentType: 'application/octet-stream', ending: 'bin' },
};

/**
 * The sample in a form that nothing opens or runs by accident. Throws `NAME_INVALID` or
 * `DIGEST_DIFFERS`. Do not change `sample` before it resolves; `raw` gives out the same bytes, not
 * a copy.
 */
export async function neutralise(
  form: Form,
  sample: Uint8Array,
  { name, sha256 }: SampleNames,
): Promise<NeutralFile> {
  requireName(name);
  requireDigest(sample, sha256);
  const { contentType, ending } = KINDS[form];
  const fileName = `${name}.${ending}`;
  return {
    bytes: await bytesOf(form, sample, sha256),
    contentType,
    fileName,
    contentDisposition: `attachment; filename="${fileName}"`,
  };
}

async function bytesOf(form: Form, sample: Uint8Array, sha256: string): Promise<Uint8Array> {
  switch (form) {
    case 'cart':
      return await cart(sample, sha256);
    case 'zip':
      return await zip(sample, sha256, 'aes');
    case 'zip-legacy':
      return await zip(sample, sha256, 'zipcrypto');
    case 'raw':
      return sample;
    default:
      return form satisfies never;
  }
}

/** A name with a dot could end like a program, and one with a quote could end the header's value. */
function requireName(name: string): void {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name))
    throw new NeutralFormError({
      code: 'NAME_INVALID',
      remedy: 'stop',
      message:
        'Expected a file name of 1 to 128 of A-Z a-z 0-9 - _ without an ending; found another. Name the file by an id.',
    });
}

function requireDigest(sample: Uint8Array, sha256: string): void {
  if (hash('sha256', sample) !== sha256)
    throw new NeutralFormError({
      code: 'DIGEST_DIFFERS',
      remedy: 'stop',
      message:
        'Expected a sample with the SHA-256 given, found another. Nothing was handed out: open the sealed sample again, and compare its digest with its audit event.',
    });
}
