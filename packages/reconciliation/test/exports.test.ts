import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'DIFFERENCE_CODES',
    'LEDGER_DIFFERENCE_CODES',
    'PolicyBook',
    'compareLedgers',
    'reconcile',
    'sitesByRegion',
  ]);
});
