import { expect, test } from 'vitest';
import * as index from '../src/index.ts';

test('the index exports these names and no others', () => {
  expect(Object.keys(index).sort()).toEqual([
    'CONFIGURATION_ERROR_CODES',
    'ConfigurationError',
    'SECTIONS',
    'SITE_PROBLEM_CODES',
    'checkSites',
    'configurationOf',
    'configurationReference',
    'explainConfiguration',
    'mistakeLine',
    'readConfiguration',
    'readRegions',
    'readTokens',
  ]);
});
