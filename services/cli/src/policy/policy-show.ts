import { table } from '../terminal/table.ts';
import { formatInstant, invalidPolicies, validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { publishedIn } from './published-in.ts';
import { sitesText } from './sites-text.ts';
import type { Session } from '../terminal/session.ts';

type Options = Common & { readonly version?: number };

export async function show(
  session: Session,
  { json, version, ...where }: Options,
): Promise<ExitCode> {
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
    `effective   ${version === 1 ? 'always' : effectiveFrom}`,
    `published   ${formatInstant(appendedAt)}`,
    ...regions.map((region) => `region      ${region.id}: ${sitesText(region)}`),
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
