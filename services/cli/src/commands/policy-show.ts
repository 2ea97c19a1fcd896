import { formatInstant, invalidPolicies, validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { answering, describe, parseWhole } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { publishedIn } from '../published-in.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';

type Options = Common & { readonly version?: number };

export function policyShowCommand(policy: Command, session: Session, answer: Answer): void {
  describe(
    policy,
    'show',
    'The newest valid policy version, or the one asked for; names those that everybody ignores.',
    ['policy show', 'policy show --version 1 --json'],
  )
    .option('--version <n>', 'this version instead of the newest', parseWhole(1, 999_999_999))
    .action(answering(answer, (options: Options) => show(session, options)));
}

async function show(session: Session, { json, version, ...where }: Options): Promise<ExitCode> {
  const { output } = session;
  const published = await publishedIn(session, where);
  const found = validPolicies(published).findLast(
    ({ document }) => version === undefined || document.version === version,
  );
  for (const {
    published: { document },
    code,
    message,
  } of invalidPolicies(published))
    output.note(`Ignored: ${document.id}/${document.version}: ${message} (${code})`);
  if (found === undefined)
    throw new CliError({
      code: 'NOT_THERE',
      message:
        'Expected a valid policy version of that number, found none; ask without --version for the newest.',
      remedy: 'stop',
    });
  if (json)
    await output.json({
      digest: found.digest,
      appendedAt: formatInstant(found.appendedAt),
      document: found.document,
    });
  else await output.lines(linesOf(found));
  return EXIT.done;
}

function linesOf({ document, digest, appendedAt }: PolicyPublished): string[] {
  const { id, version, effectiveFrom, regions, rules, notes = [] } = document;
  return [
    `${id}/${version}`,
    `digest      ${digest}`,
    `effective   ${version === 1 ? 'since ever' : effectiveFrom}`,
    `published   ${formatInstant(appendedAt)}`,
    ...regions.map(({ id: region, sites }) => `region      ${region}: ${sites.join(', ')}`),
    '',
    ...table(
      ['rule', 'region', 'from', 'until', 'countries', 'basis', 'confidence', 'sources'],
      rules.map((rule) => [
        rule.id,
        rule.region,
        rule.from.slice(0, 10),
        rule.until?.slice(0, 10) ?? '',
        rule.countries.length,
        rule.basis,
        rule.confidence,
        rule.cites.join('; '),
      ]),
    ),
    ...notes.flatMap((note) => ['', `Note: ${note}`]),
  ];
}
