import type { Blocked } from '@residency/routing';
import type { SimCluster } from './kafka/cluster.ts';
import type { Plan } from './plan.ts';
import type { SimRedis } from './redis/values.ts';
import type { SimBucket } from './s3/bucket.ts';
import type { Scheduler } from './scheduler.ts';
import type { Tally } from './tally.ts';
import type { Weather } from './weather.ts';

/** Told of what happens, in order; for stories. */
export type Narrator = (at: number, who: string, what: string) => void;

/** What a process of a world sees of it, and where it is told of. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly kafka: SimCluster;
  readonly redis: SimRedis;
  readonly buckets: ReadonlyMap<string, SimBucket>;
  readonly faults: Tally;
  readonly outcomes: Tally;
  /** By custodian: the register on its disk. */
  readonly registers: Map<string, Buffer>;
  readonly narrate: Narrator;
  readonly plan: Plan;
  bucket(name: string): SimBucket;
  /** The bucket that a router's settings lead to, right or wrong. */
  entrance(site: string): SimBucket;
  weatherOf(service: string): Weather;
  /** A partition waits at a record, or goes on. */
  waits(partition: number, blocked: Blocked | undefined): void;
  /** A router was not answered by a site that may be owed. */
  unanswered(site: string): void;
  violated(invariant: string, found: string): void;
}
