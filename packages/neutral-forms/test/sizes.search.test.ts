import { describe, expect, test } from 'vitest';
import { FORMS } from '../src/index.ts';
import { opensAgain, noise } from './opened.ts';

const MiB = 1024 * 1024;
/** The borders of zlib's and CaRT's blocks and of a sealed sample's frames, and the largest. */
const SIZES = [0, 1, 32_767, 32_768, 65_535, 65_536, 65_537, MiB - 1, MiB, MiB + 1, 16 * MiB];

describe.each(FORMS)('the form %s', (form) => {
  test.each(SIZES)('opens again at %i bytes without a pattern', async (size) => {
    expect(await opensAgain(form, noise(size))).toBe(true);
  });

  test.each(SIZES)('opens again at %i bytes with one', async (size) => {
    expect(await opensAgain(form, Buffer.alloc(size, 'pattern'))).toBe(true);
  });
});
