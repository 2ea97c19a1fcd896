import { setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import type { Workload } from '../workload.ts';
import { residentBytes } from './process-figures.ts';
import type { Stand } from './stand.ts';
import { withWarmRouter } from './warm-router.ts';

export interface MemoryCourse {
  readonly samples: number;
  readonly seconds: number;
  /** Resident memory at a time, seconds from the start of the load. */
  readonly course: readonly { readonly at: number; readonly bytes: number }[];
  /** The highest value, also between two measurements. */
  readonly peakBytes: number;
}

export interface MemoryPlan {
  readonly minutes: number;
  readonly everySeconds: number;
  /** The number of samples kept waiting, so that the router always has work. */
  readonly waiting: number;
}

/** Measures the memory of one router that always has more work than it can do. */
export async function measureMemory(
  stand: Stand,
  workload: Workload,
  { minutes, everySeconds, waiting }: MemoryPlan,
): Promise<MemoryCourse> {
  return await withWarmRouter(stand, workload, async (router) => {
    const [seconds, start] = [minutes * 60, performance.now()];
    const course: { readonly at: number; readonly bytes: number }[] = [];
    const before = await ended(stand);
    const publishing = stand.publishing(workload, seconds, { mode: 'ahead', waiting });
    const over = new AbortController();
    // A failure is reported to the caller that awaits it below.
    publishing
      .catch(() => undefined)
      .finally(() => {
        over.abort();
      });
    while (!over.signal.aborted) {
      course.push({
        at: (performance.now() - start) / 1e3,
        bytes: residentBytes(router.pid, 'VmRSS'),
      });
      await sleep(everySeconds * 1e3);
    }
    await publishing;
    await stand.settled([router]);
    const spent = (performance.now() - start) / 1e3;
    return {
      samples: (await ended(stand)) - before,
      seconds: spent,
      course,
      peakBytes: residentBytes(router.pid, 'VmHWM'),
    };
  });
}

async function ended(stand: Stand): Promise<number> {
  return [...(await stand.log.ends(TOPICS.samples)).values()].reduce(
    (sum, end) => sum + Number(end),
    0,
  );
}

/** Least squares, bytes a minute. */
export function slopeOf(course: MemoryCourse['course']): number {
  const mean = (of: (one: MemoryCourse['course'][number]) => number): number =>
    course.reduce((sum, one) => sum + of(one), 0) / course.length;
  const [at, bytes] = [mean((one) => one.at), mean((one) => one.bytes)];
  const spread = course.reduce((sum, one) => sum + (one.at - at) ** 2, 0);
  return spread === 0
    ? 0
    : (course.reduce((sum, one) => sum + (one.at - at) * (one.bytes - bytes), 0) / spread) * 60;
}
