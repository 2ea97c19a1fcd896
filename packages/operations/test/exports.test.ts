import * as operations from '@residency/operations';
import { expect, test } from 'vitest';

test('exports exactly what its README promises', () => {
  expect(Object.keys(operations).sort()).toEqual([
    'Health',
    'OPERATIONS_ERROR_CODES',
    'OperationsError',
    'SharedWait',
    'allOrNone',
    'comeUp',
    'operationsRoutes',
    'runService',
    'runWork',
    'serviceMain',
    'startOperations',
  ]);
});
