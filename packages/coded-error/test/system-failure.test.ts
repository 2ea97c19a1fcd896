import { expect, it } from 'vitest';
import { isFull, isOutOfHandles, systemFailure } from '../src/index.ts';

it.each([
  ['ENOSPC', 'disk is full'],
  ['EDQUOT', 'quota'],
  ['EMFILE', 'ulimit -n'],
  ['ENFILE', 'fs.file-max'],
  ['EROFS', 'read-only'],
  ['EIO', 'disk fails'],
  ['EACCES', 'owner and mode'],
])('says what %s means', (errno, words) => {
  expect(systemFailure(errno)).toMatch(new RegExp(`^${errno}: .*${words}`));
});

it('leaves a name that says no more as it is', () => {
  expect(systemFailure('ENOTDIR')).toBe('ENOTDIR');
});

it('tells a lack of room and of file handles from everything else', () => {
  expect(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE'].map(isFull)).toEqual([true, true, false, false]);
  expect(['EMFILE', 'ENFILE', 'ENOSPC', 'EACCES'].map(isOutOfHandles)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
