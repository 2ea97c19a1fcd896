import { createHmac } from 'node:crypto';

const KEY = /^[0-9a-f]{64}$/;

/**
 * The digest of references under a key: HMAC-SHA-256, lower-case hex. `undefined`: the text of the
 * key is not 64 lower-case hex digits.
 */
export function referenceDigestOf(key: string): ((reference: string) => string) | undefined {
  const text = key.trim();
  if (!KEY.test(text)) return undefined;
  const bytes = Buffer.from(text, 'hex');
  return (reference) => createHmac('sha256', bytes).update(reference, 'utf8').digest('hex');
}
