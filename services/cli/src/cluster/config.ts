import {
  SECTIONS,
  SITE_ROLES,
  checkSites,
  explainConfiguration,
  mistakeLine,
  readConfiguration,
} from '@residency/configuration';
import type { Section, SiteProblem } from '@residency/configuration';
import type { Common } from '../terminal/command.ts';
import type { ConfigFile } from './config-file.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { settingsFile } from './settings-command.ts';
import { counted, table } from '../terminal/table.ts';

type Options = Common & { readonly section?: readonly Section[] };

export async function check(session: Session, options: Options): Promise<ExitCode> {
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
  const wrongId = sections.includes('kafka') && (await reportClusterId(session, file, json));
  const problems = await siteProblems(session, sections, file);
  for (const problem of problems)
    await (json ? output.json(problem) : output.line(`${problem.code}: ${problem.message}`));
  // A site that no policy names yet is noted, and is not a mistake.
  const wrong =
    mistakes.length +
    (wrongId ? 1 : 0) +
    problems.filter(({ code }) => code !== 'SITE_UNKNOWN').length;
  output.note(
    wrong === 0
      ? 'The configuration is sound.'
      : `The configuration has ${counted(wrong, 'mistake')}.`,
  );
  return wrong === 0 ? EXIT.done : EXIT.found;
}

/**
 * Prints the id of the cluster that answers, even if the variable is missing or wrong. Returns true
 * if the variable names another one.
 */
async function reportClusterId(
  session: Session,
  file: ConfigFile,
  json: boolean,
): Promise<boolean> {
  const { output } = session;
  // Loaded on demand, because it loads Kafka's client.
  const { CLUSTER_ID, askClusterId } = await import('./cluster-id.ts');
  const found = await askClusterId(session, file);
  if ('failure' in found) {
    output.note(
      `The cluster's id could not be read (${found.failure}), so ${CLUSTER_ID} was not compared with it.`,
    );
    return false;
  }
  const { clusterId } = found;
  const configured = file.env[CLUSTER_ID];
  if (json) await output.json({ clusterId });
  else await output.line(`The cluster at these brokers is ${clusterId}.`);
  if (configured === clusterId) return false;
  // A missing variable is among the mistakes already.
  if (configured === undefined || configured === '') {
    output.note(`Set ${CLUSTER_ID}=${clusterId}, if these are the brokers that are meant.`);
    return false;
  }
  const message = `Expected ${CLUSTER_ID} to be ${clusterId}, found another; compare the brokers' addresses. A new cluster needs a new RESIDENCY_LOG.`;
  await (json
    ? output.json({ code: 'CLUSTER_MISMATCH', message })
    : output.line(`CLUSTER_MISMATCH: ${message}`));
  return true;
}

/** Empty if the regions file itself is invalid, because that was reported. */
async function siteProblems(
  session: Session,
  sections: readonly Section[],
  file: ConfigFile,
): Promise<readonly SiteProblem[]> {
  if (!SITE_ROLES.some((role) => sections.includes(role))) return [];
  // Read separately, because a mistake in another section does not affect the sites.
  const name = 'RESIDENCY_REGIONS_FILE';
  const places = readConfiguration(['sites'], {
    readFile: file.readFile,
    env: { [name]: file.env[name] },
  }).configuration?.sites;
  if (places === undefined) return [];
  // Loaded on demand, because it loads Kafka's client.
  const { publishedPolicies } = await import('./published-policies.ts');
  return checkSites(
    (await publishedPolicies(session, file)).map(({ document }) => document),
    places,
  );
}
