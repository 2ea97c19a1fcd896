/** What a site's marker says about it (DESIGN §2.9). */
export interface SiteIdentity {
  readonly region: string;
  readonly site: string;
}

export function encodeSiteMarker({ region, site }: SiteIdentity): Buffer {
  return Buffer.from(`${JSON.stringify({ region, site })}\n`, 'utf8');
}

/**
 * The inverse of `encodeSiteMarker`. Whoever can write to the site controls the bytes, and what comes out is repeated in
 * messages: what is no well-formed name is `(unreadable)`, which is no site's name and so never matches one.
 */
export function decodeSiteMarker(bytes: Uint8Array): SiteIdentity {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null && 'region' in value && 'site' in value)
      return { region: name(value.region), site: name(value.site) };
  } catch {
    // Not a marker: named as such below.
  }
  return { region: UNREADABLE, site: UNREADABLE };
}

const UNREADABLE = '(unreadable)';

function name(value: unknown): string {
  return typeof value === 'string' && /^[a-z0-9][a-z0-9.-]{0,63}$/.test(value) ? value : UNREADABLE;
}
