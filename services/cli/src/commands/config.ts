import {
  SECTIONS,
  checkSites,
  explainConfiguration,
  mistakeLine,
  readConfiguration,
} from '@residency/configuration';
import type { Section, SiteProblem } from '@residency/configuration';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { answering, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import type { ConfigFile } from '../config-file.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { printable } from '../output.ts';
import type { Session } from '../session.ts';
import { settingsFile } from '../settings-command.ts';
import { counted, table } from '../table.ts';

type Options = Common & { readonly section?: readonly Section[] };

export function configCommand(program: Command, session: Session, answer: Answer): void {
  const config = group(program, 'config', "Look at a cluster's settings.", [
    'config check --config cluster.env',
  ]);
  describe(
    config,
    'check',
    'Every setting, where it comes from and what is wrong; secrets only as `set`. Compares the regions file with the policies. Ends with 1 where something is wrong.',
    [
      'config check --config cluster.env',
      'config check --config cluster.env --section kafka --section topics --json',
    ],
  )
    .option(
      '--section <name>',
      `only this part; may be said several times (${SECTIONS.join(', ')})`,
      section,
    )
    .action(answering(answer, (options: Options) => check(session, options)));
}

function section(text: string, earlier: readonly Section[] = []): readonly Section[] {
  const known = SECTIONS.find((one) => one === text);
  if (known === undefined)
    throw new InvalidArgumentError(`Expected one of ${SECTIONS.join(', ')}.`);
  return [...earlier, known];
}

async function check(session: Session, options: Options): Promise<ExitCode> {
  const { output } = session;
  const { section: sections = SECTIONS, json } = options;
  const file = await settingsFile(session, options);
  const settings = explainConfiguration(sections, file).map(({ variable, state, shown }) => ({
    variable,
    value: printable(shown),
    source: state === 'set' ? (file.origin(variable) ?? '') : state,
  }));
  if (json) for (const setting of settings) await output.json(setting);
  else
    await output.lines(
      table(
        ['variable', 'value', 'source'],
        settings.map(({ variable, value, source }) => [variable, value, source]),
      ),
    );
  const { mistakes } = readConfiguration(sections, file);
  for (const mistake of mistakes)
    await (json
      ? output.json({ code: 'CONFIGURATION_INVALID', ...mistake })
      : output.line(mistakeLine(mistake)));
  const problems = await siteProblems(session, sections, file);
  for (const problem of problems)
    await (json ? output.json(problem) : output.line(`${problem.code}: ${problem.message}`));
  // A site that no policy names yet is worth a line, and no mistake.
  const wrong = mistakes.length + problems.filter(({ code }) => code !== 'SITE_UNKNOWN').length;
  output.note(
    wrong === 0
      ? 'The configuration is sound.'
      : `The configuration has ${counted(wrong, 'mistake')}.`,
  );
  return wrong === 0 ? EXIT.done : EXIT.found;
}

/** None where the regions file itself is wrong: that was said. */
async function siteProblems(
  session: Session,
  sections: readonly Section[],
  file: ConfigFile,
): Promise<readonly SiteProblem[]> {
  if (!sections.includes('sites') && !sections.includes('readers')) return [];
  // By itself: a mistake elsewhere says nothing about where sites are.
  const name = 'RESIDENCY_REGIONS_FILE';
  const places = readConfiguration(['sites'], {
    readFile: file.readFile,
    env: { [name]: file.env[name] },
  }).configuration?.sites;
  if (places === undefined) return [];
  // Loaded only where it is asked for: Kafka's client comes with it.
  const { publishedPolicies } = await import('../cluster/published-policies.ts');
  return checkSites(
    (await publishedPolicies(session, file)).map(({ document }) => document),
    places,
  );
}
