import { matching, path, secret } from './variable.ts';
import type { Variable } from './variable.ts';

/**
 * The users of a site's credentials: routers create and head; readers list and get (reconciliation,
 * opening).
 */
export type SiteRole = 'sites' | 'readers';

export interface SiteVariables {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly secretAccessKeyFile: string;
  readonly sessionToken: string;
}

/** The names of a site's credentials: its name in upper case, with _ for each - and . */
export function siteVariables(site: string, role: SiteRole): SiteVariables {
  const prefix = `RESIDENCY_SITE_${site.toUpperCase().replaceAll(/[.-]/g, '_')}_${role === 'readers' ? 'READER_' : ''}`;
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
    sections: ['sites', 'readers'],
    absent: PROVIDERS,
    description: 'Access key id; with its secret.',
  }),
  secretAccessKey: secret({
    sections: ['sites', 'readers'],
    absent: PROVIDERS,
    description: 'Secret access key.',
  }),
  secretAccessKeyFile: path({
    sections: ['sites', 'readers'],
    absent: 'none',
    description: 'File that holds the secret access key instead.',
  }),
  sessionToken: secret({
    sections: ['sites', 'readers'],
    absent: 'none',
    description: 'Session token of temporary credentials.',
  }),
} satisfies Record<keyof SiteVariables, Variable<string>>;
