import type { TestSite } from '../../stack/index.ts';
import type { SeededRandom } from '../seeded-random.ts';

/** How a site is lost. */
export const LOSSES = ['killed', 'hangs', 'no bucket', 'empty bucket'] as const;
export type Loss = (typeof LOSSES)[number];

export const VICTIMS = [
  'router',
  'routers',
  'frozen router',
  'custodian',
  'custodians',
  'broker',
  'redis',
  'projector',
] as const;
/** Not all of them are in this proof's scripts: others use them. */
export type Victim = (typeof VICTIMS)[number] | 'frozen custodian';

export interface Disturbance {
  readonly victim: Victim;
  /** Milliseconds after the disturbances began. */
  readonly at: number;
  /** For how long it is frozen or away, milliseconds. */
  readonly forMs: number;
}

/** When a command is killed: so long after the control log grew by so many records. */
export interface CommandKill {
  readonly records: number;
  readonly afterMs: number;
}

/** One loss of the arbiter, up to its return. */
export interface Change {
  readonly site: TestSite;
  readonly loss: Loss;
  /** The share of its submissions that is settled before. */
  readonly after: number;
  /** The later site is away before the loss, so that copies exist at the arbiter alone. */
  readonly laterAway: boolean;
  readonly patienceMs: number;
  readonly kills: readonly CommandKill[];
  /** After the kills a person ends the change, and then begins it again. */
  readonly abort: boolean;
  readonly aroundOut: readonly Disturbance[];
  readonly aroundIn: readonly Disturbance[];
}

export interface Script {
  readonly routers: number;
  readonly custodians: number;
  readonly partitions: number;
  readonly changes: readonly Change[];
}

/** What happens in the run of a seed: each site of Zurich in turn is the arbiter, and is lost. */
export function scriptOf(random: SeededRandom, losses: number): Script {
  const [routers, custodians, partitions] = [
    random.chance(0.2) ? 3 : 2,
    random.chance(0.3) ? 2 : 1,
    2 + random.below(2),
  ];
  const changes = Array.from({ length: losses }, (_, index) =>
    change(random, index % 2 === 0 ? 'zrh-1' : 'zrh-2'),
  );
  return { routers, custodians, partitions, changes };
}

function change(random: SeededRandom, site: TestSite): Change {
  const laterAway = random.chance(0.2);
  const possible = LOSSES.filter(
    // An empty arbiter that still serves gives away the identities that no later site has.
    (loss) => !laterAway || loss !== 'empty bucket',
  );
  return {
    site,
    loss: random.pick(possible),
    after: 0.4 * random.next(),
    laterAway,
    patienceMs: random.below(1_500),
    kills: Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => ({
      records: random.below(4),
      afterMs: random.below(random.chance(0.5) ? 80 : 800),
    })),
    abort: random.chance(0.1),
    aroundOut: disturbances(random, 1 + random.below(3), 5_000),
    aroundIn: disturbances(random, random.below(2), 3_000),
  };
}

export function disturbances(
  random: SeededRandom,
  count: number,
  withinMs: number,
  victims: readonly Victim[] = VICTIMS,
): readonly Disturbance[] {
  return Array.from({ length: count }, () => ({
    victim: random.pick(victims),
    at: random.below(withinMs),
    forMs: 200 + random.below(random.chance(0.3) ? 9_000 : 1_500),
  })).toSorted((a, b) => a.at - b.at);
}
