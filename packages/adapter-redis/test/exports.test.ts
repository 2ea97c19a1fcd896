import { expect, it } from 'vitest';
import * as adapter from '../src/index.ts';

it('exports what its README promises, and nothing else', () => {
  expect(Object.keys(adapter).toSorted()).toEqual([
    'REDIS_ERROR_CODES',
    'RedisConsentProjection',
    'RedisConsentView',
    'RedisError',
  ]);
});
