import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'FaultyLedgerStore',
    'FaultyObjectStore',
    'InjectedFault',
    'LedgerFault',
    'MemoryAuditSource',
    'MemoryLedgerStore',
    'MemoryObjectStore',
    'QUARANTINE_ME',
    'RoutingWorld',
    'SOME_CONSENT',
    'STORE_FAULTS',
    'auditRecord',
    'describeAuditSource',
    'describeConsentView',
    'describeControlView',
    'describeLedgerStore',
    'describeObjectStore',
    'describePolicyView',
    'describeSubmissionLog',
    'eventually',
    'exampleObject',
    'faultAt',
    'seededFaults',
    'settlementsOf',
    'someAuditEvent',
    'someAuditRecords',
    'submissionEvent',
    'transparentSealer',
  ]);
});
