import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'BATCH_EVENTS',
    'DEFAULT_MAX_CONNECTIONS',
    'DEFAULT_TIMEOUTS',
    'INTAKE_ERROR_CODES',
    'INTAKE_ROUTES',
    'IntakeError',
    'SCOPES',
    'startIntake',
  ]);
});
