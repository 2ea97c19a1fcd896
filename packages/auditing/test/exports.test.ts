import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'ADJUDICATION_CODES',
    'AUDITING_ERROR_CODES',
    'AuditingError',
    'CSV_COLUMNS',
    'ConsentTotals',
    'EventWatch',
    'FINDING_KINDS',
    'LEDGER_FAULT_CODES',
    'RecentRegions',
    'ReplayDigest',
    'SCRATCH_PARTS',
    'Selection',
    'adjudicate',
    'checkpointPath',
    'csvRow',
    'fsck',
    'growLedger',
    'isLedgerPath',
    'leafOf',
    'ledgerOrigin',
    'ledgerPath',
    'prove',
    'replay',
    'whatIf',
  ]);
});
