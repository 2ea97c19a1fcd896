import { SAMPLE_LOST, custodyEventIn } from '@residency/contracts';
import type { Run } from '../run.ts';

/** A stored event of an identity that another stored event of the region has. */
export interface SecondStored {
  readonly position: string;
  readonly submission: string;
  readonly region: string;
}

/**
 * Reports each, unless a sample of the identity was given up while the events were read: then the next
 * run judges it (RECONCILIATION §32). Reads the custody logs once more if there is one.
 */
export async function judgeSecondStored(
  { deps, report, custody }: Run,
  all: readonly SecondStored[],
): Promise<void> {
  if (all.length === 0) return;
  const identities = new Set(all.map(identityOf));
  const lostMeanwhile = new Set<string>();
  for await (const bytes of deps.trail.custody()) {
    const event = custodyEventIn(bytes);
    if (event?.type !== SAMPLE_LOST) continue;
    const identity = identityOf(event.data);
    if (identities.has(identity) && !custody.isLost(event.data.of)) lostMeanwhile.add(identity);
  }
  for (const one of all) {
    if (lostMeanwhile.has(identityOf(one))) continue;
    const { position, submission } = one;
    report.add({
      code: 'STORED_TWICE',
      position,
      submission,
      message:
        "Expected one stored event for each identity in a region, found a second one. All sites lost the first one's objects, or two routers settled; compare both events with the objects in the sites.",
    });
  }
}

function identityOf({ region, submission }: Omit<SecondStored, 'position'>): string {
  return `${region} ${submission}`;
}
