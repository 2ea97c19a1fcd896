import { remedyOf } from '@residency/coded-error';
import { checkSites } from '@residency/configuration';
import type { SiteConfiguration } from '@residency/configuration';
import type { PolicyBook, SiteReader } from '@residency/reconciliation';
import { ReconcilerError } from './reconciler-error.ts';

/** The sites as a run finds them. */
export interface SeenSites {
  /** Those to compare: of a policy, or ready for one, each verified to be the site it is taken for. And those that are away. */
  readonly readers: readonly SiteReader[];
  /** Of no policy, and not empty. */
  readonly foreign: readonly string[];
  /** Every configured site that answered. */
  readonly there: ReadonlySet<string>;
  /** The others, with what each failed with. */
  readonly away: ReadonlyMap<string, unknown>;
}

export interface LookTerms {
  readonly settings: readonly SiteConfiguration[];
  readonly reader: (site: string) => SiteReader;
  /** Throws what is wrong with the site's marker (stop), or why it does not answer (retry). */
  readonly verify: (settings: SiteConfiguration) => Promise<void>;
  readonly policies: PolicyBook;
}

type Look = { readonly reader: SiteReader } | { readonly foreign: string } | undefined;

/** Throws `SITE_ELSEWHERE`, and what is wrong with the marker of a policy's site (stop). A policy's site without settings is left to the comparison, which says so. */
export async function lookAtSites(terms: LookTerms): Promise<SeenSites> {
  refuseElsewhere(terms);
  const [readers, foreign, there, away]: [
    SiteReader[],
    string[],
    Set<string>,
    Map<string, unknown>,
  ] = [[], [], new Set(), new Map()];
  await Promise.all(
    terms.settings.map(async (settings) => {
      try {
        const look = await lookAt(terms, settings);
        there.add(settings.site);
        if (look !== undefined && 'reader' in look) readers.push(look.reader);
        if (look !== undefined && 'foreign' in look) foreign.push(look.foreign);
      } catch (error) {
        if (remedyOf(error) !== 'retry') throw error;
        away.set(settings.site, error);
        readers.push(terms.reader(settings.site));
      }
    }),
  );
  return { readers, foreign, there, away };
}

async function lookAt(terms: LookTerms, settings: SiteConfiguration): Promise<Look> {
  const { site } = settings;
  const reader = terms.reader(site);
  if (isNamed(terms.policies, site)) {
    // A bucket that is another's must not pass for an empty site.
    await terms.verify(settings);
    return { reader };
  }
  if (await isEmpty(reader)) return (await isReady(terms, settings)) ? { reader } : undefined;
  // A version may have named it since, before anything was placed there.
  await terms.policies.refresh();
  if (!isNamed(terms.policies, site)) return { foreign: site };
  refuseElsewhere(terms);
  await terms.verify(settings);
  return { reader };
}

/** No policy names it yet: then it need not be prepared yet either. */
async function isReady({ verify }: LookTerms, settings: SiteConfiguration): Promise<boolean> {
  try {
    await verify(settings);
    return true;
  } catch (error) {
    if (remedyOf(error) === 'retry') throw error;
    return false;
  }
}

async function isEmpty(reader: SiteReader): Promise<boolean> {
  for await (const _ of reader.list()) return false;
  return true;
}

function isNamed({ regions }: PolicyBook, site: string): boolean {
  return [...regions.values()].some((sites) => sites.has(site));
}

function refuseElsewhere({ policies, settings }: LookTerms): void {
  const regions = [...policies.regions].map(([id, sites]) => ({ id, sites: [...sites] }));
  const elsewhere = checkSites([{ regions }], settings).filter(
    ({ code }) => code === 'SITE_ELSEWHERE',
  );
  if (elsewhere.length > 0)
    throw new ReconcilerError({
      code: 'SITE_ELSEWHERE',
      remedy: 'stop',
      message: elsewhere.map(({ message }) => message).join('\n'),
    });
}
