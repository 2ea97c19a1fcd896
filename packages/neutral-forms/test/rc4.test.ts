import { expect, test } from 'vitest';
import { Rc4 } from '../src/rc4.ts';
import { RFC_6229 } from './rfc6229.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

test.each(RFC_6229)('the keystream of the key %s is that of RFC 6229', (key, stream) => {
  const zeros = Buffer.alloc(0x1010);
  const cipher = new Rc4(bytes(key));
  // In pieces, as a stream comes.
  for (let at = 0; at < zeros.length; at += 1_000) cipher.apply(zeros.subarray(at, at + 1_000));
  for (const line of stream.split('\n')) {
    const [offset = '', expected] = line.trim().split(' ');
    const at = Number.parseInt(offset, 16);
    expect([offset, zeros.toString('hex', at, at + 16)]).toEqual([offset, expected]);
  }
});
