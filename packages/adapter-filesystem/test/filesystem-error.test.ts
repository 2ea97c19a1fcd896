import { expect, test } from 'vitest';
import { siteError } from '../src/filesystem-error.ts';
import { ledgerError } from '../src/ledger-directory.ts';

const failed = (code: string): Error =>
  Object.assign(new Error(`${code}: /secret/path`), { code, syscall: 'open' });

test.each(['EMFILE', 'ENFILE'])(
  'too few file handles (%s) are reported without the folder',
  (errno) => {
    for (const error of [siteError('zrh-1', failed(errno)), ledgerError(failed(errno))]) {
      expect(error).toMatchObject({
        code: 'TOO_FEW_FILE_HANDLES',
        remedy: 'retry',
        message: expect.stringContaining('too few file handles'),
      });
      expect(String(error)).not.toMatch(/zrh-1|secret|mounted/);
    }
  },
);

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota is used up'],
])('a full disk (%s) is reported as such', (errno, words) => {
  expect(siteError('zrh-1', failed(errno))).toMatchObject({
    code: 'SITE_FULL',
    remedy: 'retry',
    message: expect.stringContaining(words),
  });
  expect(ledgerError(failed(errno))).toMatchObject({
    code: 'LEDGER_FULL',
    remedy: 'retry',
    message: expect.stringContaining(words),
  });
});

test.each([
  ['EROFS', 'read-only'],
  ['EIO', 'the disk fails'],
  ['EACCES', 'owner and mode'],
])('%s is reported with the repair', (errno, words) => {
  for (const error of [siteError('zrh-1', failed(errno)), ledgerError(failed(errno))])
    expect(error).toMatchObject({ remedy: 'retry', message: expect.stringContaining(words) });
});
