import { SET_ASIDE_PREFIX, submissionOfSetAsideKey } from '@residency/contracts';
import type { ErasableSample } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { ERASED_BUT_PRESENT, isOrdered, orderIn } from '../check-tombstone.ts';
import type { SiteReader } from '../ports/site-reader.ts';
import type { Run } from '../run.ts';

/** An erased sample of which something is set aside. */
export interface SetAsideSample {
  readonly sample: ErasableSample;
  readonly position: string;
  readonly holding: Holding;
}

/**
 * Reads what is set aside of erased samples, in the sites where they were erased: nothing but
 * tombstones (RECONCILIATION §28, RECONCILIATION §31). `samples`: by the number of the site, and the submission.
 */
export async function readSetAside(
  { sites, orders, report }: Run,
  samples: ReadonlyMap<number, ReadonlyMap<string, SetAsideSample>>,
): Promise<void> {
  for (const [number, wanted] of samples) {
    const reader = sites.all[number];
    if (reader === undefined) continue;
    await sites.at(reader, async () => {
      for await (const { key, found } of setAsideIn(reader, wanted)) {
        const { sample, position, holding } = found;
        const { submission } = sample;
        const bytes = (await reader.read(key))?.bytes;
        const order = bytes === undefined ? undefined : orderIn(bytes, submission);
        const isGood = order !== undefined && (await isOrdered(order, orders, sample, holding));
        if (bytes !== undefined && !isGood)
          report.add({ ...ERASED_BUT_PRESENT, site: reader.site, key, position, submission });
      }
    });
  }
}

async function* setAsideIn(
  reader: SiteReader,
  wanted: ReadonlyMap<string, SetAsideSample>,
): AsyncGenerator<{ readonly key: string; readonly found: SetAsideSample }> {
  for await (const { key, foreign } of reader.list(SET_ASIDE_PREFIX)) {
    const found = foreign ? undefined : wanted.get(submissionOfSetAsideKey(key) ?? '');
    if (found !== undefined) yield { key, found };
  }
}
