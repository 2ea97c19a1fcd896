import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'EncryptionSdkSealer',
    'KEY_ID',
    'SEALING_ERROR_CODES',
    'SealingError',
    'generateRegionKey',
    'openSealed',
    'readSealedHeader',
  ]);
});
