import type { Snapshot } from '@residency/observation';
import { EmbeddedControlView, observeIntake, openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { publishedOn } from '../system/published-on.ts';
import { observe } from './observe.ts';
import type { Probe } from './probe.ts';

const WITHIN_MS = 15_000;

export async function openEmbeddedProbe(path: string, now: () => number): Promise<Probe> {
  const data = await openDataDirectory(path, { forReading: true });
  return {
    name: `data directory ${path}`,
    snapshot: () => embeddedSnapshot(data, now),
    close: () => data.close(),
  };
}

/** The facts of a data directory. It has one clock: no view is ever behind. */
export async function embeddedSnapshot(data: DataDirectory, now: () => number): Promise<Snapshot> {
  const [control, intake, clock, policy] = await Promise.all([
    observe(WITHIN_MS, () => new EmbeddedControlView(data.log).read()),
    observe(WITHIN_MS, () => observeIntake(data.log, now)),
    observe(WITHIN_MS, () => data.log.clock()),
    observe(WITHIN_MS, async () => ({ at: now(), versions: await publishedOn(data) })),
  ]);
  return { control, intake, clock, policy };
}
