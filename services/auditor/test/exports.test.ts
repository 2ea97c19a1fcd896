import * as auditor from '@residency/auditor';
import { expect, test } from 'vitest';

test('exports what its index names and nothing else', () => {
  expect(Object.keys(auditor).toSorted()).toEqual(['keepGrowing', 'ledgerRoutes']);
});
