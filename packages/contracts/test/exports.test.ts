import { expect, it } from 'vitest';
import * as index from '../src/index.ts';

it('exports what its index names and nothing else', () => {
  expect(Object.keys(index).toSorted()).toEqual([
    'ALL_SERVICES', 'ATTRIBUTE_BYTES', 'AUDIT_EVENT_BYTES', 'CONSENT_GRANTED', 'CONSENT_TICK', 'CONSENT_WITHDRAWN', 'CONTRACT_ERROR_CODES', 'CONTROL_LOG_LEVELS', 'ContractError', 'DEFAULT_LIMITS', 'EXPORTED', 'EXPORT_BEGUN',
    'EXPORT_FORMATS', 'IDENTITY_BYTES', 'INITIAL_CONTROL', 'INTAKE_DRAINING', 'LOG_LEVEL_SET', 'OBJECT_PREFIX', 'OUTCOMES', 'POLICY_PUBLISHED', 'POLICY_TICK', 'QUARANTINE_REASONS', 'REDRIVE_HEADER', 'REFUSAL_REASONS',
    'ROUTING_PAUSED', 'ROUTING_RESUMED', 'SITE_MARKER_KEY', 'SUBJECT_LINKED', 'SUBMITTED', 'TOPICS', 'VERDICTS', 'consentCloudEvent', 'consentEntry', 'consentTick', 'controlEntry', 'decodeAuditEvent', 'decodeObjectMetadata',
    'decodeQuarantinePointer', 'decodeSiteMarker', 'encodeAuditEvent', 'encodeObjectMetadata', 'encodeQuarantinePointer', 'encodeSiteMarker', 'evolveControl', 'followControl', 'formatPosition', 'logLevelOf', 'objectKey',
    'outcomeSummary', 'parsePosition', 'policyDigest', 'policyEntry', 'policyTick', 'readConsentEvent', 'readConsentRecord', 'readControlRecord', 'readPolicy', 'readPolicyRecord', 'readSubjectLink', 'readSubmission', 'sha256',
    'sha256OfParts', 'subjectLinkCloudEvent', 'subjectLinkEntry', 'submissionEntry', 'submissionId', 'submissionOfKey',
  ]);
});
