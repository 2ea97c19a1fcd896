import { readPolicy } from '@residency/contracts';
import {
  BEGINNING_OF_TIME,
  checkPolicy,
  decide,
  formatInstant,
  isAssigned,
  policyInForce,
  validPolicies,
} from '@residency/residency';
import type { Decision, PolicyVersion } from '@residency/residency';
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, parseAt } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printable } from '../output.ts';
import { publishedIn } from '../published-in.ts';
import { readNamed } from '../read-named.ts';
import type { Session } from '../session.ts';
import { counted } from '../table.ts';

interface Options extends Common {
  readonly at?: number;
  readonly policy?: string;
  readonly asKnown?: true;
}

export function whereCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'where',
    "Where samples of a country's users must live, and why; changes nothing.",
    [
      'where CH JP BR',
      'where US --at 2019-06-01 --json',
      'where CH DE RU --policy policy/residency-2.json --at 2027-01-01T00:00:00Z',
      'where US --at 2026-01-31 --as-known',
    ],
  )
    .argument('<cc...>', 'countries, ISO 3166-1 alpha-2, either case')
    .option('--at <instant>', 'RFC 3339, or a date for 00:00Z (default: now)', parseAt)
    .option('--policy <file>', 'ask this document instead of the newest published one')
    .addOption(
      new Option('--as-known', 'ask the version that was in force at that instant').conflicts(
        'policy',
      ),
    )
    .action(
      answering(answer, (options: Options, countries: readonly string[]) =>
        where(session, options, countries),
      ),
    );
}

async function where(
  session: Session,
  options: Options,
  countries: readonly string[],
): Promise<ExitCode> {
  const at = options.at ?? session.now();
  const policy = await policyFor(session, options, at);
  for (const country of countries) {
    const decision = decide(policy, country, at);
    if (options.json) await session.output.json(answerOf(country, decision));
    else await session.output.line(sentence(country, decision, at));
  }
  return EXIT.done;
}

async function policyFor(
  session: Session,
  { policy: file, asKnown, ...where }: Options,
  at: number,
): Promise<PolicyVersion> {
  if (file !== undefined) {
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
    const why = isAssigned(country.toUpperCase())
      ? 'the policy has not exactly one rule for it at that instant'
      : 'not an assigned ISO 3166-1 alpha-2 code or XK';
    return `${name}: unknown, ${why}; a sample would be quarantined.`;
  }
  const { region, rule, policy } = decision;
  const since = rule.from === BEGINNING_OF_TIME ? 'since ever' : `since ${rule.from.slice(0, 10)}`;
  return `${name}: ${region}, ${since}, by rule ${rule.id} of ${policy.id}/${policy.version} (basis ${rule.basis}, confidence ${rule.confidence}) for ${formatInstant(at)}; sources: ${rule.cites.join('; ')}.`;
}
