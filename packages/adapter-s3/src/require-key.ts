import { submissionOfKey } from '@residency/contracts';
import { S3Error } from './s3-error.ts';

export function requireSampleKey(key: string): void {
  requireKey(submissionOfKey(key) !== undefined);
}

/** Throws `INVALID_OBJECT_KEY` (stop). */
export function requireKey(isValid: boolean): void {
  if (isValid) return;
  throw new S3Error({
    code: 'INVALID_OBJECT_KEY',
    message:
      'Expected the key of a sample object, found another. This is a defect of the caller: report it.',
    remedy: 'stop',
  });
}
