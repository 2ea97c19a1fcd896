import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'ATTRIBUTE_BYTES', 'AUDIT_EVENT_BYTES', 'CONSENT_GRANTED', 'CONSENT_TICK', 'CONSENT_WITHDRAWN', 'CONTRACT_ERROR_CODES', 'ContractError', 'DEFAULT_LIMITS', 'EXPORTED', 'EXPORT_BEGUN', 'EXPORT_FORMATS', 'IDENTITY_BYTES',
    'OBJECT_PREFIX', 'OUTCOMES', 'POLICY_PUBLISHED', 'POLICY_TICK', 'QUARANTINE_REASONS', 'REDRIVE_HEADER', 'REFUSAL_REASONS', 'SITE_MARKER_KEY', 'SUBJECT_LINKED', 'SUBMITTED', 'TOPICS', 'VERDICTS',
    'consentCloudEvent', 'consentEntry', 'consentTick', 'controlEntry', 'decodeAuditEvent', 'decodeObjectMetadata', 'decodeQuarantinePointer', 'decodeSiteMarker', 'encodeAuditEvent', 'encodeObjectMetadata', 'encodeQuarantinePointer', 'encodeSiteMarker',
    'formatPosition', 'objectKey', 'outcomeSummary', 'parsePosition', 'policyDigest', 'policyEntry', 'policyTick', 'readConsentEvent', 'readConsentRecord', 'readControlRecord', 'readPolicy', 'readPolicyRecord', 'readSubjectLink', 'readSubmission', 'sha256', 'sha256OfParts',
    'subjectLinkCloudEvent', 'subjectLinkEntry', 'submissionEntry', 'submissionId', 'submissionOfKey',
  ]);
});
