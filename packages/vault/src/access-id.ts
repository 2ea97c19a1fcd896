import { VaultError } from './vault-error.ts';

/** The oldest id that is accepted. `AccessBook` remembers ids for longer. */
const AGE_MS = 24 * 60 * 60 * 1_000;
/** How far an asker's clock may be ahead. */
const AHEAD_MS = 5 * 60 * 1_000;

/**
 * Throws `ACCESS_ID_STALE` unless the id was made within the last 24 hours (RFC 9562 §5.7: its first
 * 48 bits are the time). So an id that nobody remembers any more cannot be used a second time.
 */
export function requireFresh(access: string, now: number): void {
  const at = Number.parseInt(access.slice(0, 13).replace('-', ''), 16);
  if (at > now - AGE_MS && at < now + AHEAD_MS) return;
  throw new VaultError({
    code: 'ACCESS_ID_STALE',
    message:
      'Expected an access id that was made within the last 24 hours (UUID version 7), found an older one, or one from the future. Make a new one, and compare your clock.',
    remedy: 'stop',
  });
}
