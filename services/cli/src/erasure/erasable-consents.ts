import { decodeKafka } from '@residency/cloudevents';
import { readSubjectLink } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import { sorted } from './named.ts';

/** The consents that are linked to a subject. Throws `SUBJECT_UNKNOWN`. Says the subject nowhere. */
export async function consentsOfSubject(
  session: Session,
  system: Pick<System, 'subjectLog'>,
  subject: string,
): Promise<readonly string[]> {
  const linked = new Set<string>();
  // The last record of a consent counts.
  for await (const record of interruptible(session, system.subjectLog())) {
    const consentId = record.key?.toString() ?? '';
    if (subjectIn(record) === subject) linked.add(consentId);
    else linked.delete(consentId);
  }
  if (linked.size === 0)
    throw new CliError({
      code: 'SUBJECT_UNKNOWN',
      message:
        'Expected a consent that is linked to this subject, found none; nothing was ordered. Check how the consents name it, or name the consents with --consent.',
      remedy: 'stop',
    });
  return sorted([...linked]);
}

/** `undefined`: the record is a tombstone, or no link. */
function subjectIn(record: LogRecord): string | undefined {
  try {
    return record.value === null ? undefined : readSubjectLink(decodeKafka(record)).subject;
  } catch {
    return undefined;
  }
}

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

/**
 * The append time of each consent's last withdrawal, milliseconds; one that was never given is left
 * out. Throws `CONSENT_NOT_WITHDRAWN` for a consent that is in force.
 */
export async function withdrawals(
  system: Pick<System, 'consentHistory'>,
  consents: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  for (const consent of consents)
    for (const { until } of await system.consentHistory(consent)) {
      if (until === undefined)
        throw new CliError({
          code: 'CONSENT_NOT_WITHDRAWN',
          message: `Expected withdrawn consents, found that ${consent} is in force; nothing was ordered. Withdraw it first: residency consent withdraw --consent ${consent}.`,
          remedy: 'stop',
        });
      // The last one, unless a broker's clock was set back between two.
      ends.set(consent, Math.max(ends.get(consent) ?? 0, until));
    }
  return ends;
}
