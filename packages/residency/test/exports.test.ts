import { expect, test } from 'vitest';
import * as residency from '../src/index.ts';

test('exports exactly what is listed here', () => {
  expect(Object.keys(residency).sort()).toEqual([
    'BASES',
    'BEGINNING_OF_TIME',
    'CONFIDENCES',
    'COUNTRIES',
    'INVALID_POLICY_CODES',
    'POLICY_PROBLEM_CODES',
    'canonicalJson',
    'checkPolicy',
    'decide',
    'formatInstant',
    'invalidPolicies',
    'isAssigned',
    'parseInstant',
    'policyInForce',
    'twoLetterCode',
    'validPolicies',
  ]);
});
