import { defined } from '@residency/defined';
import type { EnvironmentReader } from '../environment-reader.ts';
import { readRegions } from '../regions-file.ts';
import type { SitePlace } from '../regions-file.ts';
import { SITE_ROLES, SITE_VARIABLES, siteVariables } from '../site-variables.ts';
import type { SiteRole, SiteVariables } from '../site-variables.ts';

export interface SiteCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface SiteConfiguration extends SitePlace {
  /** Absent: the SDK's default provider chain. */
  readonly credentials?: SiteCredentials;
}

export function readSites(
  reader: EnvironmentReader,
  role: SiteRole,
): readonly SiteConfiguration[] | undefined {
  const places = readPlaces(reader);
  if (places === undefined) return undefined;
  refuseSharedNames(reader, places);
  return places.map((place) => ({
    ...place,
    ...defined({ credentials: readCredentials(reader, siteVariables(place.site, role)) }),
  }));
}

export function readPlaces(reader: EnvironmentReader): readonly SitePlace[] | undefined {
  const text = reader.file('RESIDENCY_REGIONS_FILE');
  if (text === undefined) return undefined;
  const { sites, mistakes } = readRegions(text);
  for (const mistake of mistakes) reader.mistaken(mistake);
  return sites;
}

function readCredentials(
  reader: EnvironmentReader,
  names: SiteVariables,
): SiteCredentials | undefined {
  const { secretAccessKey: secret, secretAccessKeyFile: file } = SITE_VARIABLES;
  const accessKeyId = reader.read(names.accessKeyId, SITE_VARIABLES.accessKeyId);
  const secretAccessKey = reader.secret(names.secretAccessKey, names.secretAccessKeyFile, {
    secret,
    file,
  });
  const sessionToken = reader.read(names.sessionToken, SITE_VARIABLES.sessionToken);
  reader.refuseWithout(
    reader.isSet(names.accessKeyId),
    [names.secretAccessKey, names.secretAccessKeyFile, names.sessionToken],
    names.accessKeyId,
  );
  reader.refuseWithout(
    reader.isSet(names.secretAccessKey) || reader.isSet(names.secretAccessKeyFile),
    [names.accessKeyId],
    `${names.secretAccessKey} or ${names.secretAccessKeyFile}`,
  );
  return accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : { accessKeyId, secretAccessKey, ...defined({ sessionToken }) };
}

/** Reports two sites whose credentials would have one name, such as `a-b` and `a.b`. */
function refuseSharedNames(reader: EnvironmentReader, places: readonly SitePlace[]): void {
  const owners = new Map<string, string>();
  for (const { site } of places) {
    for (const name of SITE_ROLES.map((role) => siteVariables(site, role).accessKeyId)) {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, site);
      else
        reader.mistaken({
          variable: 'RESIDENCY_REGIONS_FILE',
          expected: 'sites whose credentials have names of their own',
          found: `${name} for ${owner} and ${site}`,
        });
    }
  }
}
