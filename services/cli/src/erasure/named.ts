import type { ErasableSample } from '@residency/contracts';
import { submissionsIn } from '../vault/asked-submissions.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import { printable } from '../terminal/output.ts';
import { counted } from '../terminal/table.ts';

/** The options by which samples are named. */
export interface NamingOptions {
  readonly submission?: readonly string[];
  readonly from?: string;
  readonly consent?: readonly string[];
}

/** Names of one kind, sorted, each once. */
export type Named =
  | { readonly submissions: readonly string[] }
  | { readonly consents: readonly string[] };

const SUBMISSION = /^[0-9a-f]{64}$/;
const CONSENT = /^[A-Za-z0-9_-]{8,128}$/;

/** Throws `USAGE` unless exactly one of these options is there. `more`: what else may be. */
export function requireOneOf(given: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(given);
  const found = names.filter((name) => given[name] !== undefined);
  if (found.length !== 1)
    throw usage(
      `Expected one of ${names.map((name) => `--${name}`).join(', ')}, found ${found.length === 0 ? 'none' : String(found.length)}; nothing was changed.`,
    );
}

/** Throws `USAGE` for what is no name, and `FILE_UNREADABLE`. */
export async function namedBy({ submission, from, consent }: NamingOptions): Promise<Named> {
  if (consent !== undefined) {
    if (!consent.every((id) => CONSENT.test(id)))
      throw usage('Expected --consent of 8 to 128 of A-Z a-z 0-9 _ -, found something else.');
    return { consents: sorted(consent) };
  }
  if (from !== undefined) return { submissions: sorted(await listed(from)) };
  if (submission?.every((id) => SUBMISSION.test(id)) !== true)
    throw usage('Expected --submission of 64 lower-case hex digits, found something else.');
  return { submissions: sorted(submission) };
}

async function listed(list: string): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const asked of submissionsIn(list)) {
    if (asked.submission === undefined)
      throw usage(
        `Expected a submission id, 64 lower-case hex digits, in every line of --from, found something else in line ${asked.line}; nothing was changed. Correct the list.`,
      );
    all.push(asked.submission);
  }
  if (all.length === 0)
    throw usage('Expected --from to list submissions, found none; nothing was changed.');
  return all;
}

export function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}

export function namesOf(named: Named): readonly string[] {
  return 'submissions' in named ? named.submissions : named.consents;
}

/** True for what is named: of a consent, records appended before its instant, if it has one; in `region`, if given. */
export function isNamed(
  named: Named,
  before: ReadonlyMap<string, number> = new Map(),
  region?: string,
): (sample: ErasableSample) => boolean {
  const names = new Set(namesOf(named));
  return ({ region: stored, submission, consentId, at }) =>
    (region === undefined || stored === region) &&
    ('submissions' in named
      ? names.has(submission)
      : names.has(consentId) && at < (before.get(consentId) ?? Infinity));
}

/** `3 submissions`. */
export function namedText(named: Named): string {
  return 'submissions' in named
    ? counted(named.submissions.length, 'submission')
    : counted(named.consents.length, 'consent');
}

/** Lists of at most `most` names. */
export function inParts(named: Named, most: number): readonly Named[] {
  const parts: Named[] = [];
  const names = namesOf(named);
  for (let at = 0; at < names.length; at += most) {
    const part = names.slice(at, at + most);
    parts.push('submissions' in named ? { submissions: part } : { consents: part });
  }
  return parts;
}

const SHOWN = 10;

/** Throws `SUBMISSION_UNKNOWN` if a named submission has no stored sample, in `region` if given. */
export function requireStored(
  named: Named,
  stored: Iterable<{ readonly submission: string }>,
  region?: string,
): void {
  if (!('submissions' in named)) return;
  const known = new Set([...stored].map(({ submission }) => submission));
  const unknown = named.submissions.filter((submission) => !known.has(submission));
  if (unknown.length === 0) return;
  const more = unknown.length > SHOWN ? `, and ${unknown.length - SHOWN} more` : '';
  throw new CliError({
    code: 'SUBMISSION_UNKNOWN',
    message: `Expected every named submission to have a stored sample${region === undefined ? '' : ` in region ${printable(region)}`}, found ${unknown.length} without one: ${unknown.slice(0, SHOWN).join(', ')}${more}; nothing was changed. See \`residency status SUBMISSION\`, and leave it out.`,
    remedy: 'stop',
  });
}
