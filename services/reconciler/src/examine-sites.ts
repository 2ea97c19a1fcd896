import { remedyOf } from '@residency/coded-error';
import { checkSites } from '@residency/configuration';
import type { SiteConfiguration } from '@residency/configuration';
import { MarkerWatch } from '@residency/contracts';
import { watched } from '@residency/reconciliation';
import type { PolicyBook, SiteReader } from '@residency/reconciliation';
import { ReconcilerError } from './reconciler-error.ts';

/** The result of examining all configured sites at the start of a run. */
export interface ExaminedSites {
  /**
   * The sites to compare: named by a policy, or ready for one, each with a verified marker. Also
   * those that are unreachable or out of service.
   */
  readonly readers: readonly SiteReader[];
  /** Sites that no policy names and that are not empty. */
  readonly foreign: readonly string[];
  /** Every configured site that answered. */
  readonly reachable: ReadonlySet<string>;
  /** Those that did not, with the error of each. */
  readonly unreachable: ReadonlyMap<string, unknown>;
  /** Those that are out of service: nothing was asked of them. */
  readonly out: ReadonlySet<string>;
}

export interface ExamineSitesDeps {
  readonly settings: readonly SiteConfiguration[];
  readonly reader: (site: string) => SiteReader;
  /** Throws the marker's error (stop), or the store's if it does not answer (retry). */
  readonly verify: (settings: SiteConfiguration) => Promise<void>;
  readonly policies: PolicyBook;
  /** Sites that are out of service (`site out`, `site retire`). */
  readonly out: ReadonlySet<string>;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
}

type Finding = { readonly reader: SiteReader } | { readonly foreign: string } | undefined;

/**
 * Throws `SITE_ELSEWHERE`, and the marker's error if a site that a policy names has a wrong marker
 * (stop). A site that a policy names but that has no settings is reported by the comparison.
 */
export async function examineSites(deps: ExamineSitesDeps): Promise<ExaminedSites> {
  refuseElsewhere(deps);
  const [readers, foreign, reachable, unreachable, out]: [
    SiteReader[],
    string[],
    Set<string>,
    Map<string, unknown>,
    Set<string>,
  ] = [[], [], new Set(), new Map(), new Set()];
  await Promise.all(
    deps.settings.map(async (settings) => {
      if (deps.out.has(settings.site)) {
        readers.push(deps.reader(settings.site));
        out.add(settings.site);
        return;
      }
      try {
        const found = await examine(deps, settings);
        reachable.add(settings.site);
        if (found !== undefined && 'reader' in found) readers.push(found.reader);
        if (found !== undefined && 'foreign' in found) foreign.push(found.foreign);
      } catch (error) {
        if (remedyOf(error) !== 'retry') throw error;
        unreachable.set(settings.site, error);
        readers.push(
          isNamed(deps.policies, settings.site)
            ? watchedReader(deps, settings)
            : deps.reader(settings.site),
        );
      }
    }),
  );
  return { readers, foreign, reachable, unreachable, out };
}

async function examine(deps: ExamineSitesDeps, settings: SiteConfiguration): Promise<Finding> {
  const { site } = settings;
  const reader = deps.reader(site);
  if (isNamed(deps.policies, site)) {
    // Otherwise the bucket of another site could be taken for an empty site.
    await deps.verify(settings);
    return { reader: watchedReader(deps, settings) };
  }
  if (await isEmpty(reader))
    return (await isReady(deps, settings)) ? { reader: watchedReader(deps, settings) } : undefined;
  // A policy version may have named the site since the book was read.
  await deps.policies.refresh();
  if (!isNamed(deps.policies, site)) return { foreign: site };
  refuseElsewhere(deps);
  await deps.verify(settings);
  return { reader: watchedReader(deps, settings) };
}

/** A run takes hours, so the markers of its sites are verified again during it. */
function watchedReader(
  { reader, verify, now }: ExamineSitesDeps,
  settings: SiteConfiguration,
): SiteReader {
  return watched(reader(settings.site), new MarkerWatch(() => verify(settings), { now }));
}

/** Whether a site that no policy names yet already has its marker. It need not have one. */
async function isReady(
  { verify }: ExamineSitesDeps,
  settings: SiteConfiguration,
): Promise<boolean> {
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

function refuseElsewhere({ policies, settings }: ExamineSitesDeps): void {
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
