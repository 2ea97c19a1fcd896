import { TOPICS } from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import { SimCluster } from './kafka/cluster.ts';
import { Oracle } from './oracle.ts';
import type { Violation } from './oracle.ts';
import { SITES } from './plan.ts';
import type { Plan } from './plan.ts';
import type { SimProcess } from './process.ts';
import { Random } from './random.ts';
import { SimRedis } from './redis/values.ts';
import { SimBucket } from './s3/bucket.ts';
import { Scheduler } from './scheduler.ts';
import type { Surroundings, Narrator } from './surroundings.ts';
import { Tally } from './tally.ts';
import { FAIR } from './weather.ts';
import type { Weather } from './weather.ts';

/**
 * Everything outside the processes: brokers, stores, Redis, the network between them, and the eye
 * that sees all of it.
 */
export class World implements Surroundings {
  readonly plan: Plan;
  readonly scheduler = new Scheduler();
  readonly kafka: SimCluster;
  readonly redis = new SimRedis();
  readonly buckets: ReadonlyMap<string, SimBucket>;
  readonly oracle: Oracle;
  readonly faults = new Tally();
  readonly registers = new Map<string, Buffer>();
  readonly outcomes = new Tally();
  readonly narrate: Narrator;
  readonly processes = new Map<string, SimProcess>();
  readonly #weather = new Map<string, Weather>();
  /** Two sites whose settings lead to each other's bucket. */
  swapped: readonly [string, string] | undefined;
  /** At which record and why partitions wait, and since when. */
  readonly waiting = new Map<
    number,
    Pick<Blocked, 'error' | 'offset'> & { readonly since: number }
  >();
  violation: Violation | undefined;

  constructor(plan: Plan, narrate: Narrator) {
    this.plan = plan;
    this.narrate = narrate;
    this.kafka = new SimCluster({
      scheduler: this.scheduler,
      random: new Random(`${plan.seed}/kafka`),
      partitions: plan.partitions,
      markerLost: (log) => {
        this.faults.count('marker lost');
        this.oracle.markerLost(log);
        this.narrate(
          this.scheduler.now,
          'kafka',
          `a dying broker forgets a marker${log === undefined ? ' of group offsets' : ` of ${log.topic}/${log.partition}`}`,
        );
      },
    });
    this.swapped = plan.swappedMs > 0 ? ['zrh-2', 'mow-1'] : undefined;
    plan.clocks.forEach((ahead, broker) => {
      this.kafka.clocks[broker] = ahead;
    });
    this.oracle = new Oracle(this);
    this.buckets = new Map(
      [...SITES, 'ledger', 'checkpoints'].map((name) => [
        name,
        new SimBucket({
          name,
          now: () => this.scheduler.now,
          put: (key, object, put) => {
            this.oracle.put(name, key, object, put);
          },
        }),
      ]),
    );
  }

  bucket(name: string): SimBucket {
    const bucket = this.buckets.get(name);
    if (bucket === undefined)
      throw new Error(`Expected a bucket ${name} in this world, found none.`);
    return bucket;
  }

  entrance(site: string): SimBucket {
    const [one, other] = this.swapped ?? [];
    return this.bucket(site === one ? (other ?? site) : site === other ? (one ?? site) : site);
  }

  weatherOf(service: string): Weather {
    return this.#weather.get(service) ?? FAIR;
  }

  setWeather(service: string, weather: Weather | undefined): void {
    if (weather === undefined) this.#weather.delete(service);
    else this.#weather.set(service, weather);
  }

  waits(partition: number, blocked: Blocked | undefined): void {
    const before = this.waiting.get(partition);
    if (blocked === undefined) this.waiting.delete(partition);
    else if (before?.offset !== blocked.offset || before.error.code !== blocked.error.code)
      this.waiting.set(partition, {
        error: blocked.error,
        offset: blocked.offset,
        since: this.scheduler.now,
      });
  }

  unanswered(site: string): void {
    this.oracle.unanswered(site);
  }

  /** The first one counts. */
  violated(invariant: string, found: string): void {
    this.violation ??= { invariant, found, at: this.scheduler.now };
  }

  /** Visible end of the intake partition: what readers get to. */
  intakeEnd(partition: number): number {
    return this.kafka.log(TOPICS.samples, partition).lastStable;
  }
}
