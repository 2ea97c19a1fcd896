import { remedyOf } from '@residency/coded-error';

/**
 * Repeats a call that found an object which cannot be read (remedy `park`). While an object is
 * replaced, a store whose replacement is not atomic (S3Proxy over folders) shows parts of the old
 * one's metadata and of the new one's. Such a moment must not decide a record's outcome, which is
 * final. Throws as the second call.
 */
export async function readAgain<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (remedyOf(error) !== 'park') throw error;
    return await call();
  }
}
