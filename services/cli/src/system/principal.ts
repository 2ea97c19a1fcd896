import { hostname, userInfo } from 'node:os';
import { CONTROL_PRINCIPAL } from '@residency/contracts/vocabulary';
import { usage } from '../terminal/cli-error.ts';

/**
 * Set if operators' accounts should not be in the control log, or say too little: a pseudonym, a
 * ticket's number.
 */
const VARIABLE = 'RESIDENCY_PRINCIPAL';

/**
 * Who acts, as far as it is known: what the variable says, else the operating system's user and
 * host. Throws `USAGE`.
 */
export function principalOf(env: Readonly<Record<string, string | undefined>>): string {
  const named = env[VARIABLE];
  if (named === undefined || named === '')
    return `${userOf(env)}@${hostname()}`.replaceAll(/\p{C}/gu, '?').slice(0, 128);
  if (!CONTROL_PRINCIPAL.test(named))
    throw usage(
      `Expected ${VARIABLE} of 1 to 128 characters, none of them a control character, found something else; nothing was done.`,
    );
  return named;
}

/** `sudo` says on whose behalf; root is everybody. */
function userOf({ SUDO_USER: behind }: Readonly<Record<string, string | undefined>>): string {
  const user = nameOfUser();
  return behind === undefined || behind === '' || behind === user ? user : `${behind} as ${user}`;
}

/** A user of a container may have a number and no name. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
