import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'FaultyObjectStore', 'InjectedFault', 'MemoryObjectStore', 'QUARANTINE_ME', 'RoutingWorld', 'SOME_CONSENT', 'STORE_FAULTS', 'describeConsentView', 'describeObjectStore', 'describePolicyView',
    'describeSubmissionLog', 'eventually', 'exampleObject', 'faultAt', 'seededFaults', 'settlementsOf', 'submissionEvent', 'transparentSealer',
  ]);
});
