import { matching, path, secret } from './variable.ts';
import type { Variable } from './variable.ts';

/**
 * The users of a site's credentials: routers create and head; readers list and get (reconciliation,
 * opening); custodians get, create, and replace what they have read.
 */
export const SITE_ROLES = ['sites', 'readers', 'custodians'] as const;
export type SiteRole = (typeof SITE_ROLES)[number];

const INFIX: Readonly<Record<SiteRole, string>> = {
  sites: '',
  readers: 'READER_',
  custodians: 'CUSTODIAN_',
};

export interface SiteVariables {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly secretAccessKeyFile: string;
  readonly sessionToken: string;
}

/** The names of a site's credentials: its name in upper case, with _ for each - and . */
export function siteVariables(site: string, role: SiteRole): SiteVariables {
  const prefix = `RESIDENCY_SITE_${site.toUpperCase().replaceAll(/[.-]/g, '_')}_${INFIX[role]}`;
  return {
    accessKeyId: `${prefix}ACCESS_KEY_ID`,
    secretAccessKey: `${prefix}SECRET_ACCESS_KEY`,
    secretAccessKeyFile: `${prefix}SECRET_ACCESS_KEY_FILE`,
    sessionToken: `${prefix}SESSION_TOKEN`,
  };
}

/** True if a name may be a site's credential. Used if the regions file was not read. */
export function looksLikeSiteVariable(name: string): boolean {
  return /^RESIDENCY_SITE_[A-Z0-9_]+_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SECRET_ACCESS_KEY_FILE|SESSION_TOKEN)$/.test(
    name,
  );
}

const PROVIDERS = "the SDK's default provider chain";

/** The names of a site's variables, by member of `SiteVariables`. */
export const SITE_VARIABLES = {
  accessKeyId: matching(/^[\x21-\x7e]{1,256}$/, 'an access key id', {
    sections: [...SITE_ROLES],
    absent: PROVIDERS,
    description: 'Access key id; with its secret.',
  }),
  secretAccessKey: secret({
    sections: [...SITE_ROLES],
    absent: PROVIDERS,
    description: 'Secret access key.',
  }),
  secretAccessKeyFile: path({
    sections: [...SITE_ROLES],
    absent: 'none',
    description: 'File that holds the secret access key instead.',
  }),
  sessionToken: secret({
    sections: [...SITE_ROLES],
    absent: 'none',
    description: 'Session token of temporary credentials.',
  }),
} satisfies Record<keyof SiteVariables, Variable<string>>;
