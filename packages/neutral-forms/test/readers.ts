import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { crc32, inflateRawSync, inflateSync } from 'node:zlib';

// Readers of both formats, written from their specifications alone. They share no code with the
// writers.

export interface ReadCart {
  readonly key: string;
  readonly sample: Buffer;
  readonly header: Record<string, string>;
  readonly footer: Record<string, string>;
}

/** CaRT version 1: https://github.com/CybercentreCanada/cart, README.md. */
export function readCart(file: Buffer): ReadCart {
  equal(file.toString('latin1', 0, 4), 'CART');
  equal(file.readUInt16LE(4), 1);
  equal(file.readBigUInt64LE(6), 0n);
  const key = file.subarray(14, 30);
  const header = Number(file.readBigUInt64LE(30));
  const end = file.length - 28;
  equal(file.toString('latin1', end, end + 4), 'TRAC');
  equal(file.readBigUInt64LE(end + 4), 0n);
  const footerAt = Number(file.readBigUInt64LE(end + 12));
  equal(footerAt + Number(file.readBigUInt64LE(end + 20)), end);
  const open = (from: number, to: number): Buffer => decryptRc4(key, file.subarray(from, to));
  return {
    key: key.toString('hex'),
    header: JSON.parse(open(38, 38 + header).toString()),
    sample: inflateSync(open(38 + header, footerAt)),
    footer: JSON.parse(open(footerAt, end).toString()),
  };
}

function decryptRc4(key: Buffer, from: Buffer): Buffer {
  const s = Array.from({ length: 256 }, (_, index) => index);
  const swap = (a: number, b: number): void => {
    [s[a], s[b]] = [s[b] as number, s[a] as number];
  };
  for (let i = 0, j = 0; i < 256; i += 1) {
    j = (j + (s[i] as number) + (key[i % key.length] as number)) % 256;
    swap(i, j);
  }
  let i = 0;
  let j = 0;
  return Buffer.from(
    from.map((byte) => {
      i = (i + 1) % 256;
      j = (j + (s[i] as number)) % 256;
      swap(i, j);
      return byte ^ (s[((s[i] as number) + (s[j] as number)) % 256] as number);
    }),
  );
}

export interface ReadZip {
  readonly sample: Buffer;
  readonly name: string;
  /** As the entry declares it; 99: WinZip's AES. */
  readonly method: number;
  /** The version of AE and its strength (3: 256 bits), or undefined. */
  readonly aes: { readonly version: number; readonly strength: number } | undefined;
  readonly crc: number;
  /** Unix permissions, or 0. */
  readonly mode: number;
}

/** A zip of one encrypted entry (APPNOTE 4.3, 6.1; WinZip's "AE-1 and AE-2"). */
export function readZip(file: Buffer, password: string): ReadZip {
  const end = file.length - 22;
  equal(file.readUInt32LE(end), 0x06054b50);
  equal(file.readUInt16LE(end + 10), 1);
  const entry = file.subarray(file.readUInt32LE(end + 16));
  equal(entry.readUInt32LE(0), 0x02014b50);
  const flags = entry.readUInt16LE(8);
  equal(flags & 1, 1);
  const method = entry.readUInt16LE(10);
  const crc = entry.readUInt32LE(16);
  const packed = entry.readUInt32LE(20);
  const nameEnd = 46 + entry.readUInt16LE(28);
  const extra = entry.subarray(nameEnd, nameEnd + entry.readUInt16LE(30));
  const local = file.subarray(entry.readUInt32LE(42));
  const from = 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const data = local.subarray(from, from + packed);
  const aes = aesOf(extra);
  const [plain, compression] =
    aes === undefined
      ? [decryptZipCrypto(data, password, check(flags, entry, crc)), method]
      : [decryptAes(data, password, aes.strength), aes.compression];
  const sample = compression === 0 ? plain : inflateRawSync(plain);
  equal(sample.length, entry.readUInt32LE(24));
  if (aes === undefined) equal(crc32(sample), crc);
  return {
    sample,
    name: entry.toString('latin1', 46, nameEnd),
    method,
    aes,
    crc,
    mode: entry.readUInt16LE(4) >> 8 === 3 ? (entry.readUInt32LE(38) >>> 16) & 0o777 : 0,
  };
}

function aesOf(extra: Buffer) {
  for (let at = 0; at < extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 0x9901) {
      equal(extra.toString('latin1', at + 6, at + 8), 'AE');
      return {
        version: extra.readUInt16LE(at + 4),
        strength: extra.readUInt8(at + 8),
        compression: extra.readUInt16LE(at + 9),
      };
    }
  return undefined;
}

function decryptAes(data: Buffer, password: string, strength: number): Buffer {
  const keyBytes = 8 + 8 * strength;
  const salt = data.subarray(0, keyBytes / 2);
  const keys = pbkdf2Sync(password, salt, 1_000, 2 * keyBytes + 2, 'sha1');
  equal(data.toString('hex', salt.length, salt.length + 2), keys.toString('hex', 2 * keyBytes));
  const sealed = data.subarray(salt.length + 2, -10);
  const mac = createHmac('sha1', keys.subarray(keyBytes, 2 * keyBytes))
    .update(sealed)
    .digest();
  equal(data.toString('hex', data.length - 10), mac.toString('hex', 0, 10));
  // A counter from 1, little-endian, unlike that of CTR.
  const counters = Buffer.alloc(Math.ceil(sealed.length / 16) * 16);
  for (let block = 0; block < counters.length / 16; block += 1)
    counters.writeUInt32LE(block + 1, block * 16);
  const blocks = createCipheriv(`aes-${8 * keyBytes}-ecb`, keys.subarray(0, keyBytes), null);
  const stream = blocks.update(counters);
  return Buffer.from(sealed.map((byte, at) => byte ^ (stream[at] as number)));
}

/** The table of CRC-32 (APPNOTE 4.4.7). */
const CRC = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1)
    value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb88320;
  return value;
});

/** Of the check byte's two meanings, that of a data descriptor is the time (APPNOTE 6.1.6). */
function check(flags: number, entry: Buffer, crc: number): number {
  return (flags & 8) === 0 ? crc >>> 24 : entry.readUInt16LE(12) >>> 8;
}

function decryptZipCrypto(data: Buffer, password: string, expected: number): Buffer {
  let keys: [number, number, number] = [0x12345678, 0x23456789, 0x34567890];
  const step = (old: number, byte: number): number =>
    (CRC[(old ^ byte) & 0xff] as number) ^ (old >>> 8);
  const update = (byte: number): void => {
    const first = step(keys[0], byte);
    const second = (Math.imul((keys[1] + (first & 0xff)) | 0, 134775813) + 1) | 0;
    keys = [first, second, step(keys[2], second >>> 24)];
  };
  for (const byte of Buffer.from(password)) update(byte);
  const plain = Buffer.from(
    data.map((byte) => {
      const word = (keys[2] | 2) & 0xffff;
      const opened = byte ^ ((Math.imul(word, word ^ 1) >>> 8) & 0xff);
      update(opened);
      return opened;
    }),
  );
  equal(plain[11], expected);
  return plain.subarray(12);
}

function equal(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`Expected ${String(expected)}, found ${String(found)}.`);
}
