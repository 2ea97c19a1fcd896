import {
  BEGINNING_OF_TIME,
  checkPolicy,
  decide,
  formatInstant,
  isAssigned,
  policyInForce,
  twoLetterCode,
  validPolicies,
} from '@residency/residency';
import type { Decision, PolicyVersion } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { publishedIn } from './published-in.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';

interface Options extends Common {
  readonly at?: number;
  readonly policy?: string;
  readonly asKnown?: true;
}

export async function where(
  session: Session,
  options: Options,
  countries: readonly string[],
): Promise<ExitCode> {
  const at = options.at ?? session.now();
  const policy = await policyFor(session, options, at);
  let unknown = false;
  for (const country of countries) {
    const decision = decide(policy, country, at);
    unknown ||= !decision.known;
    if (options.json) await session.output.json(answerOf(country, decision));
    else await session.output.line(sentence(country, decision, at));
  }
  // A script reads `known`.
  return unknown && !options.json ? EXIT.found : EXIT.done;
}

async function policyFor(
  session: Session,
  { policy: file, asKnown, ...where }: Options,
  at: number,
): Promise<PolicyVersion> {
  if (file !== undefined) {
    const { readPolicy } = await import('@residency/contracts/policy-event');
    const policy = readPolicy(await readNamed(file, 'the policy'));
    const problems = checkPolicy(policy.document);
    if (problems.length > 0)
      session.output.note(
        `The policy has ${counted(problems.length, 'problem')}; \`residency policy check\` names them, and no router accepts it.`,
      );
    return policy;
  }
  const published = await publishedIn(session, where);
  const policy = asKnown === true ? policyInForce(published, at) : validPolicies(published).at(-1);
  if (policy === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected a published policy version that is valid, found none; publish one with `residency policy publish`.',
      remedy: 'stop',
    });
  return policy;
}

function answerOf(country: string, decision: Decision): object {
  if (!decision.known) return { country, known: false };
  const {
    region,
    rule: { id: rule, basis, confidence, cites },
    policy,
  } = decision;
  return { country, known: true, region, rule, basis, confidence, policy, cites };
}

function sentence(country: string, decision: Decision, at: number): string {
  const name = printable(country);
  if (!decision.known) {
    const code = twoLetterCode(country);
    const why =
      code !== undefined && isAssigned(code)
        ? 'the policy has not exactly one rule for it at that instant'
        : 'not an assigned ISO 3166-1 alpha-2 code or XK';
    return `${name}: unknown, ${why}; a sample would be quarantined.`;
  }
  const { region, rule, policy } = decision;
  const since = rule.from === BEGINNING_OF_TIME ? 'since ever' : `since ${rule.from.slice(0, 10)}`;
  return `${name}: ${region}, ${since}, by rule ${rule.id} of ${policy.id}/${policy.version} (basis ${rule.basis}, confidence ${rule.confidence}) for ${formatInstant(at)}; sources: ${rule.cites.join('; ')}.`;
}
