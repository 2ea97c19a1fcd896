import { hash } from 'node:crypto';
import { constants, createDeflate } from 'node:zlib';
import { Rc4 } from './rc4.ts';

/** The first eight digits of pi, twice: the key that every reader has. */
const KEY = Buffer.from('03010401050902060301040105090206', 'hex');
const HEADER_BYTES = 38;
const FOOTER_BYTES = 28;
const CHUNK_BYTES = 256 * 1024;

/**
 * CaRT version 1, with the default key. The format is that of
 * https://github.com/CybercentreCanada/cart (README.md "Format Overview"); all numbers are
 * little-endian. The reserved 16 bytes of its mandatory footer are 8 zeros and the position of the
 * optional footer, because readers of the footer alone seek to it there. `sha256`: the sample's
 * digest, by which a reader names the file.
 */
export async function cart(sample: Uint8Array, sha256: string): Promise<Buffer> {
  const header = encrypted({ name: sha256 });
  const body = await packed(sample);
  const footer = encrypted({ ...olderDigestsOf(sample), sha256 });
  const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([
    mandatoryHeader(header.length),
    header,
    ...body,
    footer,
    mandatoryFooter(HEADER_BYTES + header.length + bodyBytes, footer.length),
  ]);
}

function encrypted(json: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(json));
  new Rc4(KEY).apply(bytes);
  return bytes;
}

/** Each chunk is encrypted before the next is made, so no second copy of the sample is readable. */
async function packed(sample: Uint8Array): Promise<readonly Buffer[]> {
  const deflate = createDeflate({ level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
  deflate.end(sample);
  const cipher = new Rc4(KEY);
  const chunks: Buffer[] = [];
  for await (const chunk of deflate) {
    cipher.apply(chunk);
    chunks.push(chunk);
  }
  return chunks;
}

/** Lists of known malware are still searched by MD5 and SHA-1. */
function olderDigestsOf(sample: Uint8Array): object {
  return {
    length: String(sample.length),
    md5: hash('md5', sample),
    sha1: hash('sha1', sample),
  };
}

function mandatoryHeader(optionalBytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('CART', 0, 'latin1');
  header.writeUInt16LE(1, 4);
  KEY.copy(header, 14);
  header.writeBigUInt64LE(BigInt(optionalBytes), 30);
  return header;
}

function mandatoryFooter(optionalAt: number, optionalBytes: number): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.write('TRAC', 0, 'latin1');
  footer.writeBigUInt64LE(BigInt(optionalAt), 12);
  footer.writeBigUInt64LE(BigInt(optionalBytes), 20);
  return footer;
}
