import { CodedError } from '@residency/coded-error';
import { ACCESS_REFUSALS } from '@residency/contracts';
import type { AccessRefusal } from '@residency/contracts';

export const VAULT_ERROR_CODES = [
  ...ACCESS_REFUSALS,
  'INVALID_PURPOSES',
  'REFERENCE_INVALID',
  'ACCESS_ID_STALE',
  'ACCESS_ID_REUSED',
  'ACCESS_UNKNOWN',
  'ACCESS_ENDED',
  'ACCESS_EXPIRED',
  'NOT_APPROVED',
  'REFUSALS_EXHAUSTED',
  'CUSTODIAN_NOT_ACTIVE',
  'CHECKPOINT_PENDING',
  'SEARCH_NOT_ALLOWED',
  'CURSOR_INVALID',
  'SAMPLE_AWAY',
  'SAMPLE_LOST',
  'SAMPLE_NOT_GOOD',
] as const;
export type VaultErrorCode = (typeof VAULT_ERROR_CODES)[number];

/** Never names a reference, a token or a byte of a sample. */
export class VaultError extends CodedError<VaultErrorCode> {}

const REFUSALS: Readonly<Record<AccessRefusal, string>> = {
  PURPOSE_UNKNOWN:
    'Expected a purpose of the purposes file, found another. Ask the operator which ones there are.',
  PURPOSE_NOT_ALLOWED:
    'Expected a principal whom the purposes file lists under this purpose, found another. Ask the operator, or use another purpose.',
  FORM_NOT_ALLOWED:
    'Expected a form that this purpose allows, found another. Leave it out for the default, cart.',
  SUBMISSION_UNKNOWN:
    'Expected a submission that is stored in this region, found none. See `residency status <id>` for its region and outcome.',
  SAMPLE_ERASED:
    'Expected a sample that is not to be erased, found an order to erase it, or that it is erased. It is not given out any more.',
  CONSENT_WITHDRAWN:
    "Expected the user's consent to be given still, found that it is withdrawn. The sample is not given out any more.",
  LIMIT_REACHED:
    "Expected less than the purpose's daily limit, found it used up. Wait, or ask the operator for a higher one.",
  APPROVER_NOT_ALLOWED:
    'Expected a principal whom the purposes file lists as an approver of this purpose, found another. Ask one of them.',
  APPROVAL_BY_ASKER:
    'Expected an approval by somebody else than the asker, found the asker. Ask another approver.',
  APPROVAL_EXPIRED:
    'Expected an approval within the lifetime of the request, found it over. Ask anew, with another access id.',
};

/** An access, or an approval, that an event refuses. */
export function refused(code: AccessRefusal): VaultError {
  return new VaultError({ code, message: REFUSALS[code], remedy: 'stop' });
}
