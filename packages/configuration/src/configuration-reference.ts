import { SECTIONS } from './section.ts';
import type { Section } from './section.ts';
import { SITE_ROLES, SITE_VARIABLES, siteVariables } from './site-variables.ts';
import type { SiteRole, SiteVariables } from './site-variables.ts';
import type { Variable } from './variable.ts';
import { VARIABLES, VARIABLE_NAMES } from './variables.ts';

const TITLES: { readonly [S in Section]: string } = {
  kafka: 'Kafka',
  redis: 'Redis',
  sites: 'Sites, for who writes',
  readers: 'Sites, for who lists and reads',
  custodians: 'Sites, for who copies',
  keys: 'Keys',
  http: 'HTTP',
  routing: 'Routing',
  projecting: 'Consent projector',
  topics: 'Topics',
  ledger: 'Ledger',
  checkpoints: 'Checkpoints kept apart',
  auditing: 'Ledger, for who signs',
  reconciling: 'Reconciler',
  custody: 'Custodian',
  exporting: 'Exporter',
  status: '`residency status`',
  telemetry: 'Logging',
};

const HEAD = `# Configuration

The distributed services and \`residency --config FILE\` read these variables; \`FILE\` holds them as lines \`NAME=value\`, and the process
environment wins. All mistakes are named at once, and the service does not start (\`CONFIGURATION_INVALID\`). A variable of another section is
no mistake; a \`RESIDENCY_\` variable that is not here is one. An empty variable is not set. \`residency config check\` shows what holds and where from.

This page is made from the code (\`configurationReference()\` in \`packages/configuration\`); a test compares them.
`;

const REGIONS = `
## The regions file

\`RESIDENCY_REGIONS_FILE\` names a JSON file that says where each site is. Members it does not know are mistakes, and two sites never share a bucket.

\`\`\`json
{
  "sites": {
    "zrh-1": { "region": "zurich", "bucket": "samples-zrh-1", "awsRegion": "eu-central-2" },
    "mow-1": { "region": "moscow", "bucket": "samples", "endpoint": "https://s3.mow.example", "awsRegion": "ru-1", "pathStyle": true, "checksums": "WHEN_REQUIRED" }
  }
}
\`\`\`

| member | required | what |
|---|---|---|
| \`region\` | yes | the region the site belongs to; it must be the policy's |
| \`bucket\` | yes | the bucket |
| \`endpoint\` | no | the store's address; absent: AWS |
| \`awsRegion\` | yes | the region that requests are signed for |
| \`pathStyle\` | no | \`true\`: the bucket is in the path instead of the host's name; default \`false\` |
| \`checksums\` | no | \`WHEN_REQUIRED\` (default) or \`WHEN_SUPPORTED\`: whether the SDK adds checksums that some stores do not know |
`;

/** `docs/reference/configuration.md`. */
export function configurationReference(): string {
  const sections = SECTIONS.map((section) => {
    const rows = VARIABLE_NAMES.filter((name) => VARIABLES[name].sections[0] === section).map(
      (name) => row(name, VARIABLES[name]),
    );
    const role = SITE_ROLES.find((one) => one === section);
    const ofSites = role === undefined ? [] : siteRows(role);
    return `\n## ${TITLES[section]}\n\nSection \`${section}\`.\n\n| variable | value | default | what |\n|---|---|---|---|\n${[...rows, ...ofSites].join('\n')}\n`;
  });
  return `${HEAD}${sections.join('')}${REGIONS}`;
}

function row(
  name: string,
  { expected, required, secret, description, ...variable }: Variable,
): string {
  const whenAbsent =
    required === true
      ? '**required**'
      : variable.default === undefined
        ? (variable.absent ?? '')
        : variable.default === ''
          ? 'empty'
          : `\`${variable.default}\``;
  return `| \`${name}\` | ${expected}${secret === true ? ' (secret)' : ''} | ${whenAbsent} | ${description} |`;
}

/** `<SITE>`: the site's name in upper case, `_` for each `-` and `.`. */
function siteRows(role: SiteRole): readonly string[] {
  const names = siteVariables('site', role);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own members
  return (Object.keys(names) as (keyof SiteVariables)[]).map((member) =>
    row(names[member].replace('_SITE_SITE_', '_SITE_<SITE>_'), SITE_VARIABLES[member]),
  );
}
