import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'EmbeddedSites',
    'FIRST_POLICY',
    'STANDALONE_ERROR_CODES',
    'StandaloneError',
    'bringLedgerUpToDate',
    'isDataDirectory',
    'ledgerSigner',
    'lockRouting',
    'openDataDirectory',
    'openEmbeddedLedger',
    'openRouter',
    'prepareRegions',
    'startStandalone',
  ]);
});
