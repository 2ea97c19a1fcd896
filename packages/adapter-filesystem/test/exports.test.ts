import * as adapter from '@residency/adapter-filesystem';
import { expect, test } from 'vitest';

test('exports exactly what its README promises', () => {
  expect(Object.keys(adapter).sort()).toEqual([
    'FILESYSTEM_ERROR_CODES',
    'FilesystemError',
    'FilesystemLedgerStore',
    'FilesystemObjectStore',
    'FilesystemSiteReader',
    'KeyDirectory',
    'StateFile',
    'initLedgerDirectory',
    'initSite',
    'openLedgerDirectory',
    'sweepTemporaries',
    'verifySite',
  ]);
});
