import { TOPICS } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import type { DataDirectory } from '@residency/standalone';
import { controlOf } from '../control.ts';
import type { IntakeLook, Looker } from './look.ts';
import { policyLook } from './policy-look.ts';
import { tell } from './told.ts';

const WITHIN_MS = 15_000;

/** A data directory's log. It has one clock: no view is ever behind. */
export async function openEmbeddedLooker(path: string, now: () => number): Promise<Looker> {
  const data = await openDataDirectory(path);
  return {
    name: `data directory ${path}`,
    look: async () => ({
      control: await tell(WITHIN_MS, () =>
        controlOf({ controlLog: () => data.log.read(TOPICS.control) }),
      ),
      intake: await tell(WITHIN_MS, () => intakeOf(data)),
      policy: await tell(WITHIN_MS, async () =>
        policyLook((await data.log.policyView().read()).versions, now()),
      ),
    }),
    close: () => data.close(),
  };
}

async function intakeOf({ log }: DataDirectory): Promise<IntakeLook> {
  const settled = ((await log.committed()) ?? -1n) + 1n;
  const appended = await log.end(TOPICS.samples);
  const at = performance.now();
  const unsettled = appended - settled;
  let oldestAt: number | undefined;
  if (unsettled > 0n) {
    for await (const record of log.read(TOPICS.samples, {
      from: settled,
      maxRecords: 1,
      maxBytes: 1,
    })) {
      oldestAt = record.at;
      break;
    }
  }
  return {
    appended,
    settled,
    unsettled,
    lost: [],
    at,
    ...(unsettled > 0n ? { worst: { partition: 0, unsettled } } : {}),
    ...(oldestAt === undefined ? {} : { oldestAt }),
  };
}
