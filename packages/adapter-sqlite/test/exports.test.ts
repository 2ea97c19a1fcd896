import { expect, it } from 'vitest';
import * as adapter from '../src/index.ts';

it('exports what its README promises, and nothing else', () => {
  expect(Object.keys(adapter).toSorted()).toEqual([
    'SQLITE_LOG_ERROR_CODES',
    'SUBMISSION_LOG_DEFAULTS',
    'SqliteConsentView',
    'SqliteLog',
    'SqliteLogError',
    'SqlitePolicyView',
    'SqliteSubmissionLog',
    'acquireRoutingLock',
    'openSqliteLog',
  ]);
});
