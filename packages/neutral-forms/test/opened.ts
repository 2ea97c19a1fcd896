import { createHash } from 'node:crypto';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import { PASSWORD, neutralise } from '../src/index.ts';
import type { Form } from '../src/index.ts';
import { readCart, readZip } from './readers.ts';

export const digest = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex');

export async function written(form: Form, sample: Uint8Array): Promise<Buffer> {
  const sha256 = digest('sha256', sample);
  const { bytes } = await neutralise(form, sample, { name: sha256, sha256 });
  return Buffer.from(bytes);
}

/** Bytes without a pattern, the same for each seed. */
export function noise(size: number, seed = 'seed'): Buffer {
  return createHash('shake256', { outputLength: Math.max(1, size) })
    .update(seed)
    .digest()
    .subarray(0, size);
}

async function openWithLibrary(file: Buffer): Promise<Buffer> {
  const [entry, ...more] = await new ZipReader(new Uint8ArrayReader(file)).getEntries();
  if (entry === undefined || entry.directory || more.length > 0)
    throw new Error('Expected one file in the zip.');
  return Buffer.from(
    await entry.getData(new Uint8ArrayWriter(), { password: PASSWORD, useWebWorkers: false }),
  );
}

/** Opens a file with each reader of its form. */
const OPENERS: Readonly<Record<Form, (file: Buffer) => Promise<readonly Buffer[]>>> = {
  cart: async (file) => [readCart(file).sample],
  zip: async (file) => [readZip(file, PASSWORD).sample, await openWithLibrary(file)],
  'zip-legacy': async (file) => [readZip(file, PASSWORD).sample, await openWithLibrary(file)],
  raw: async (file) => [file],
};

/** True if each reader of the form opens what is written to the same sample. */
export async function opensAgain(form: Form, sample: Buffer): Promise<boolean> {
  const opened = await OPENERS[form](await written(form, sample));
  return opened.every((found) => found.equals(sample));
}
