import { readJson } from '@residency/residency';

/** The identity in a site's marker (DESIGN §2.9). */
export interface SiteIdentity {
  readonly region: string;
  readonly site: string;
}

export function encodeSiteMarker({ region, site }: SiteIdentity): Buffer {
  return Buffer.from(`${JSON.stringify({ region, site })}\n`, 'utf8');
}

/**
 * The inverse of `encodeSiteMarker`. Everybody with write access to the site controls the bytes,
 * and messages repeat the result. A name that is not well-formed therefore becomes `(unreadable)`,
 * which never equals a site's name.
 */
export function decodeSiteMarker(bytes: Uint8Array): SiteIdentity {
  try {
    const value = readJson(bytes);
    if (typeof value === 'object' && value !== null && 'region' in value && 'site' in value)
      return { region: name(value.region), site: name(value.site) };
  } catch {
    // Not a marker: both names become unreadable below.
  }
  return { region: UNREADABLE, site: UNREADABLE };
}

const UNREADABLE = '(unreadable)';

function name(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,63}$/.test(value) ? value : UNREADABLE;
}
