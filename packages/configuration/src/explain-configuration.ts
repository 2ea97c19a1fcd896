import type { ConfigurationSource } from './configuration-source.ts';
import { EnvironmentReader } from './environment-reader.ts';
import { shown } from './mistake.ts';
import type { Section } from './section.ts';
import { readPlaces } from './sections/sites.ts';
import { SITE_ROLES, SITE_VARIABLES, siteVariables } from './site-variables.ts';
import type { SiteVariables } from './site-variables.ts';
import type { Variable } from './variable.ts';
import { VARIABLES, VARIABLE_NAMES } from './variables.ts';

/** A setting without secrets, fit to be shown. */
export interface ExplainedSetting {
  readonly variable: string;
  readonly state: 'set' | 'default' | 'absent';
  /**
   * The value. Of a secret, only that it is set. Of an absent setting, the value that applies
   * instead.
   */
  readonly shown: string;
}

/** Every setting of the sections, also invalid ones. */
export function explainConfiguration(
  sections: readonly Section[],
  source: ConfigurationSource,
): readonly ExplainedSetting[] {
  const reader = new EnvironmentReader(source);
  const asked = (variable: Variable): boolean =>
    variable.sections.some((section) => sections.includes(section));
  const named = VARIABLE_NAMES.filter((name) => asked(VARIABLES[name])).map((name) =>
    explained(reader, name, VARIABLES[name]),
  );
  const roles = SITE_ROLES.filter((role) => sections.includes(role));
  const places = roles.length > 0 ? (readPlaces(reader) ?? []) : [];
  const ofSites = places.flatMap(({ site }) =>
    roles.flatMap((role) => {
      const names = siteVariables(site, role);
      return members(names).map((member) =>
        explained(reader, names[member], SITE_VARIABLES[member]),
      );
    }),
  );
  return [...named, ...ofSites];
}

function members(names: SiteVariables): readonly (keyof SiteVariables)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its own members
  return Object.keys(names) as (keyof SiteVariables)[];
}

function explained(reader: EnvironmentReader, name: string, variable: Variable): ExplainedSetting {
  const text = reader.text(name);
  if (text !== undefined)
    return {
      variable: name,
      state: 'set',
      shown: variable.secret === true ? 'set' : unquoted(shown(text)),
    };
  if (variable.default !== undefined)
    return { variable: name, state: 'default', shown: variable.default };
  return { variable: name, state: 'absent', shown: variable.absent ?? 'required' };
}

function unquoted(text: string): string {
  return text.slice(1, -1);
}
