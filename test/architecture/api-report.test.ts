import { expect, test } from 'vitest';
import { REPORT, apiReport } from './api-report.ts';
import { text } from './tree.ts';

test('the packages export what the API report says; after a change of it run npm run api', () => {
  expect(apiReport()).toBe(text(REPORT));
});
