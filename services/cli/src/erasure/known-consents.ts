import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';

/** Throws `CONSENT_UNKNOWN` for a consent that was never given. */
export async function requireGiven(
  system: Pick<System, 'consentHistory'>,
  consents: readonly string[],
): Promise<void> {
  for (const consent of consents)
    if ((await system.consentHistory(consent)).length === 0)
      throw new CliError({
        code: 'CONSENT_UNKNOWN',
        message: `Expected consents that were given, found that ${consent} never was; nothing was ordered. Correct its id.`,
        remedy: 'stop',
      });
}

/** Throws `CONSENT_NOT_WITHDRAWN` for a consent that is in force. */
export async function requireWithdrawn(
  system: Pick<System, 'consentHistory'>,
  consents: readonly string[],
): Promise<void> {
  for (const consent of consents)
    if ((await system.consentHistory(consent)).some(({ until }) => until === undefined))
      throw new CliError({
        code: 'CONSENT_NOT_WITHDRAWN',
        message: `Expected withdrawn consents, found that ${consent} is in force; nothing was ordered. Withdraw it first: residency consent withdraw --consent ${consent}.`,
        remedy: 'stop',
      });
}
