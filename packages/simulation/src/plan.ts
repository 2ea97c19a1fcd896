import { Random } from './random.ts';

/** What publishers send. `hostile`: which kind of bytes; absent: a sound submission. */
export interface Submit {
  readonly kind: 'submit';
  readonly at: number;
  readonly id: number;
  readonly sample: number;
  readonly country: string;
  readonly consent: number;
  readonly partition: number;
  readonly hostile?: Hostile;
  /**
   * In a transaction of the publisher's own, which stays open so long and then commits or aborts.
   */
  readonly transaction?: { readonly openMs: number; readonly commits: boolean };
}

export const HOSTILE = [
  'no-envelope',
  'no-value',
  'wrong-type',
  'no-consent-id',
  'wrong-digest',
  'empty',
  'classified',
] as const;
export type Hostile = (typeof HOSTILE)[number];

/**
 * Everything that happens to a world from outside, in the order of its clock. A world is its seed
 * and its plan.
 */
export type Happening =
  | Submit
  | {
      readonly kind: 'grant' | 'withdraw';
      readonly at: number;
      readonly consent: number;
      readonly terms: number;
    }
  | { readonly kind: 'bad-consent'; readonly at: number }
  | {
      readonly kind: 'policy';
      readonly at: number;
      readonly change: PolicyChange;
      readonly leadMs: number;
    }
  | {
      readonly kind: 'kill' | 'stop';
      readonly at: number;
      readonly process: string;
      readonly awayMs: number;
    }
  | {
      readonly kind: 'freeze';
      readonly at: number;
      readonly process: string;
      readonly awayMs: number;
    }
  | {
      readonly kind: 'weather';
      readonly at: number;
      readonly service: string;
      readonly lost: number;
      readonly unanswered: number;
      readonly slowMs: number;
      readonly awayMs: number;
    }
  | {
      readonly kind: 'site-refuses';
      readonly at: number;
      readonly site: string;
      readonly how: 'SITE_REFUSED' | 'SITE_FULL';
      readonly awayMs: number;
    }
  | { readonly kind: 'power-cut'; readonly at: number; readonly site: string }
  | {
      readonly kind: 'conflicts';
      readonly at: number;
      readonly site: string;
      readonly count: number;
    }
  | {
      readonly kind: 'object-lost' | 'object-damaged';
      readonly at: number;
      readonly site: string;
      readonly which: number;
    }
  | {
      readonly kind: 'site-older';
      readonly at: number;
      readonly site: string;
      readonly byMs: number;
    }
  | { readonly kind: 'redis-emptied'; readonly at: number }
  | { readonly kind: 'redis-older'; readonly at: number; readonly byMs: number }
  | { readonly kind: 'markers-lost'; readonly at: number; readonly count: number }
  /**
   * Of the next commits: never arrives, is not answered, arrives so late that its sender has given
   * up, or its sender is frozen just before.
   */
  | {
      readonly kind: 'commit-fails';
      /** Absent: a router. */
      readonly of?: 'custodian';
      readonly at: number;
      readonly how: CommitFault;
      readonly lateMs: number;
    }
  | {
      readonly kind: 'markers-slow';
      readonly at: number;
      readonly ms: number;
      readonly awayMs: number;
    }
  | {
      readonly kind: 'leader-moves';
      readonly at: number;
      readonly topic: string;
      readonly partition: number;
      readonly to: number;
    }
  | { readonly kind: 'rebalance'; readonly at: number }
  | { readonly kind: 'offsets-forgotten'; readonly at: number }
  | { readonly kind: 'pause' | 'resume'; readonly at: number }
  | { readonly kind: 'retention'; readonly at: number }
  | { readonly kind: 'redrive'; readonly at: number; readonly which: number }
  /** An order: this submission, or what came under this consent up to now. */
  | {
      readonly kind: 'erase';
      readonly at: number;
      readonly by: 'submission' | 'consent';
      readonly id: number;
    }
  /**
   * `restarts`: the routers end with the broker. `again`: what publishers then send anew, in which
   * order, the same or with another sample.
   */
  | {
      readonly kind: 'log-cut';
      readonly at: number;
      readonly partition: number;
      readonly records: number;
      readonly restarts: boolean;
      readonly again: readonly { readonly index: number; readonly otherwise: boolean }[];
    }
  | { readonly kind: 'topic-remade'; readonly at: number };

export type CommitFault = 'lost' | 'unanswered' | 'late' | 'frozen';

export const POLICY_CHANGES = [
  'country-moves',
  'site-added',
  'sites-reversed',
  'site-removed',
  'retroactive',
  'unsound',
] as const;
export type PolicyChange = (typeof POLICY_CHANGES)[number];

export interface Plan {
  readonly seed: string;
  /** Until then things happen, milliseconds; afterwards all faults are mended. */
  readonly busyMs: number;
  /** How far each broker's clock is ahead. */
  readonly clocks: readonly number[];
  readonly partitions: number;
  readonly routers: number;
  readonly projectors: number;
  /** Sites keep only what was flushed. */
  readonly disks: boolean;
  /** Processes that keep zurich's custody; absent: none. */
  readonly custodians?: number;
  /** Of zurich: as a policy's region says it; absent: all sites. */
  readonly settleWith?: number;
  /** So long from the begin two sites' settings lead to each other's bucket; 0: never. */
  readonly swappedMs: number;
  /** A site of zurich goes out of service and comes back; absent: none. */
  readonly siteOut?: SiteOut;
  /** Samples of zurich are ordered to be erased. */
  readonly erases?: boolean;
  readonly happenings: readonly Happening[];
}

export interface SiteOut {
  readonly at: number;
  readonly site: string;
  readonly awayMs: number;
  /** It comes back empty. */
  readonly destroyed: boolean;
}

const COUNTRIES = ['CH', 'CH', 'US', 'RU', 'ch', 'ZZ', ''] as const;
export const SITES = ['zrh-1', 'zrh-2', 'zrh-3', 'mow-1'] as const;
const SERVICES = ['kafka', 'redis', ...SITES.map((site) => `s3:${site}`), 's3:ledger'] as const;

/**
 * Kinds of faults and how many of each a world has at most; which kinds occur at all is drawn for
 * each world, so that rare ones are not drowned.
 */
export const FAULTS = {
  kill: 5,
  stop: 3,
  freeze: 4,
  weather: 5,
  'site-refuses': 2,
  conflicts: 3,
  'power-cut': 6,
  'redis-emptied': 1,
  'redis-older': 1,
  'markers-lost': 2,
  'markers-slow': 2,
  'commit-fails': 6,
  'leader-moves': 10,
  rebalance: 3,
  'offsets-forgotten': 1,
  pause: 1,
  retention: 2,
  redrive: 3,
  'object-lost': 2,
  'object-damaged': 1,
  'site-older': 1,
  'log-cut': 1,
  'topic-remade': 1,
} as const;
export type FaultKind = keyof typeof FAULTS;

export interface PlanOptions {
  /** In each world a site goes out of service; nothing else takes objects away. */
  readonly siteOut?: boolean;
  /** In each world samples are ordered to be erased; nothing takes objects away there either. */
  readonly erase?: boolean;
  readonly faults: readonly FaultKind[];
  readonly policies: readonly PolicyChange[];
}

/** Draws a world's life from its seed. */
export function drawPlan(seed: string, random: Random, options: PlanOptions): Plan {
  const plan = drawWorld(seed, random, options);
  const withSite = options.siteOut === true ? withSiteOut(plan) : plan;
  return options.erase === true ? withErasures(withSite, options) : withSite;
}

/** Orders, and what meets them: the same identities again, custodians that end or freeze. */
function withErasures(plan: Plan, { faults }: PlanOptions): Plan {
  const { seed, busyMs, partitions } = plan;
  const random = new Random(`erase/${seed}`);
  const custodians = plan.custodians ?? (random.chance(0.7) ? 2 : 1);
  const orders = Array.from({ length: 1 + random.int(4) }, (): number =>
    random.between(1_500, busyMs * 0.9),
  );
  const happenings = orders.flatMap((at): Happening[] => [
    {
      kind: 'erase',
      at,
      by: random.chance(0.7) ? 'submission' : 'consent',
      id: random.int(3),
    },
    ...Array.from({ length: 3 + random.int(8) }, (): Submit => {
      const id = random.int(3);
      return {
        kind: 'submit',
        at: Math.max(100, at + random.between(-2_500, 5_000)),
        id,
        sample: random.chance(0.85) ? id : random.int(4),
        country: 'CH',
        consent: random.int(2),
        partition: random.int(partitions),
      };
    }),
    ...Array.from({ length: random.int(3) }, (): Happening => ({
      kind: random.pick(['kill', 'freeze', 'freeze'] as const),
      at: Math.max(100, at + random.between(-1_500, 2_500)),
      process: random.pick([...names('custodian', custodians), 'router-1']),
      awayMs: random.between(20, 9_000),
    })),
    ...Array.from({ length: random.int(2) }, (): Happening => ({
      kind: 'weather',
      at: Math.max(100, at - random.between(-500, 3_000)),
      service: `s3:${random.pick(OWED_SITES)}`,
      lost: random.pick([0, 0.5, 1]),
      unanswered: random.pick([0, 0.3]),
      slowMs: random.pick([0, 0, 2_000]),
      awayMs: random.between(500, 4_000),
    })),
  ]);
  const isOf = ({ kind }: Happening): boolean =>
    !['kill', 'freeze', 'weather'].includes(kind) || faults.some((one) => one === kind);
  return {
    ...plan,
    custodians,
    settleWith: 1,
    erases: true,
    happenings: [
      ...plan.happenings.filter(({ kind }) => !TAKING.has(kind)),
      ...happenings.filter((one) => isOf(one) && one.at < busyMs),
    ].toSorted((a, b) => a.at - b.at),
  };
}

function withSiteOut(plan: Plan): Plan {
  const { seed } = plan;
  const own = new Random(`site-out/${seed}`);
  const at = own.between(1_000, plan.busyMs * 0.8);
  const siteOut: SiteOut = {
    at,
    site: own.chance(0.8) ? 'zrh-1' : 'zrh-2',
    awayMs: own.between(200, 8_000),
    destroyed: own.chance(0.6),
  };
  const around = Array.from({ length: own.int(3) }, (): Happening => ({
    kind: own.pick(['kill', 'freeze'] as const),
    at: at + own.between(0, 1_500),
    process: own.chance(0.5) ? 'operator' : 'router-1',
    awayMs: own.between(20, 6_000),
  }));
  const happenings = [
    ...plan.happenings.filter(({ kind }) => !TAKING.has(kind)),
    ...around,
    // What only the site has that goes out: the other one did not answer before.
    ...(own.chance(0.6)
      ? [
          {
            kind: 'weather',
            at: Math.max(100, at - own.between(1_500, 4_000)),
            service: 's3:zrh-2',
            lost: 1,
            unanswered: 0,
            slowMs: 0,
            awayMs: own.between(1_000, 4_000),
          } as const,
        ]
      : []),
    ...Array.from({ length: 6 + own.int(12) }, (): Submit => {
      const id = own.int(4);
      return {
        kind: 'submit',
        at: Math.max(100, at + own.between(-1_500, 5_000)),
        id,
        sample: own.chance(0.85) ? id : own.int(4),
        country: 'CH',
        consent: own.int(2),
        partition: own.int(plan.partitions),
      };
    }),
  ].filter((one) => one.at < plan.busyMs);
  return {
    ...plan,
    custodians: plan.custodians ?? 1,
    settleWith: 1,
    swappedMs: 0,
    siteOut,
    happenings: happenings.toSorted((a, b) => a.at - b.at),
  };
}

/** With a site out, a second loss is a second fault (docs/evidence/model.md). */
const TAKING: ReadonlySet<Happening['kind']> = new Set([
  'object-lost',
  'object-damaged',
  'site-older',
  'power-cut',
  'log-cut',
  'topic-remade',
  'markers-lost',
]);

function drawWorld(seed: string, random: Random, { faults, policies }: PlanOptions): Plan {
  const busyMs = random.between(4_000, 20_000);
  const partitions = 1 + random.int(3);
  const routers = 1 + random.int(3);
  const projectors = 1 + random.int(2);
  // Faults matter where they meet traffic: both gather around the same few moments.
  const moments = Array.from({ length: 1 + random.int(3) }, () =>
    random.between(200, busyMs * 0.8),
  );
  const draw: Draw = {
    random,
    busyMs,
    partitions,
    moments,
    processes: [...names('router', routers), ...names('projector', projectors), 'auditor'],
  };
  const happenings = [
    ...submissions(draw),
    ...consents(draw),
    ...(policies.length > 0 && random.chance(0.5)
      ? Array.from({ length: 1 + random.int(2) }, () => policyChange(draw, policies))
      : []),
    ...faults
      .filter(() => random.chance(Math.max(0.3, 2 / faults.length)))
      .flatMap((kind) =>
        Array.from({ length: 1 + random.int(FAULTS[kind]) }, () => fault(kind, draw)).flatMap(
          (one) => [one, ...behind(one, draw)],
        ),
      ),
  ];
  // Differences beyond the margin are a fault of their own.
  const clocks = Array.from({ length: 3 }, () => Math.round(random.between(-450, 450)));
  const disks = random.chance(0.4);
  const swappedMs = random.chance(0.05) ? random.between(500, 5_000) : 0;
  const custody = drawCustody(
    { ...draw, random: new Random(`custody/${seed}`) },
    { faults, policies },
  );
  return {
    seed,
    busyMs,
    disks,
    swappedMs,
    clocks,
    partitions,
    routers,
    projectors,
    ...custody.keeping,
    happenings: [...happenings, ...custody.happenings].toSorted((a, b) => a.at - b.at),
  };
}

/** Sites that may be owed their copies. */
const OWED_SITES = ['zrh-2', 'zrh-2', 'zrh-3'] as const;

/**
 * Whether zurich has custodians, and what happens around them: later sites are away while samples
 * come, and custodians end or freeze. `draw.random` is a source of its own, so that a world without
 * them is what it would be if there were none.
 */
function drawCustody(
  draw: Draw,
  { faults, policies }: PlanOptions,
): {
  readonly keeping: Pick<Plan, 'custodians' | 'settleWith'>;
  readonly happenings: readonly Happening[];
} {
  const { random } = draw;
  if (!random.chance(0.4)) return { keeping: {}, happenings: [] };
  const custodians = random.chance(0.7) ? 2 : 1;
  const absences = drawSome(draw, 1 + random.int(3), faults, ['weather', 'site-refuses']).map(
    (one): Happening =>
      one.kind === 'weather'
        ? {
            ...one,
            service: `s3:${random.pick(OWED_SITES)}`,
            lost: random.pick([0.5, 1, 1]),
            slowMs: random.pick([0, 0, 6_000]),
          }
        : { ...one, ...(one.kind === 'site-refuses' ? { site: random.pick(OWED_SITES) } : {}) },
  );
  const ends = drawSome(
    { ...draw, processes: names('custodian', custodians) },
    random.int(4),
    faults,
    ['kill', 'stop', 'freeze', 'freeze'],
  );
  const commits = drawSome(draw, random.int(4), faults, ['commit-fails']).map((one): Happening =>
    one.kind === 'commit-fails'
      ? { ...one, of: 'custodian', how: random.chance(0.3) ? 'frozen' : one.how }
      : one,
  );
  const added = policies.includes('site-added') && random.chance(0.3);
  return {
    keeping: { custodians, ...(random.chance(0.8) ? { settleWith: 1 } : {}) },
    happenings: [
      ...absences.flatMap((one) => [one, ...samplesIn(one, draw)]),
      ...ends,
      ...commits,
      ...(added ? [policyChange(draw, ['site-added'])] : []),
    ],
  };
}

/** Samples of a few identities that come while a site is away. */
function samplesIn(absence: Happening, { random, partitions, busyMs }: Draw): Submit[] {
  const forMs = 'awayMs' in absence ? absence.awayMs : 0;
  return Array.from({ length: 1 + random.int(4) }, () => {
    const id = random.int(3);
    return {
      kind: 'submit',
      // A record waits for a second until the consents of its time are known.
      at: Math.min(busyMs, Math.max(100, absence.at + random.between(-1_200, forMs - 500))),
      id,
      sample: random.chance(0.9) ? id : random.int(3),
      country: 'CH',
      consent: random.int(2),
      partition: random.int(partitions),
    };
  });
}

/** `count` faults of these kinds, of which only the chosen ones occur. */
function drawSome(
  draw: Draw,
  count: number,
  chosen: readonly FaultKind[],
  kinds: readonly FaultKind[],
): Happening[] {
  const known = kinds.filter((kind) => chosen.includes(kind));
  return known.length === 0
    ? []
    : Array.from({ length: count }, () => fault(draw.random.pick(known), draw));
}

interface Draw {
  readonly random: Random;
  readonly busyMs: number;
  readonly partitions: number;
  readonly moments: readonly number[];
  readonly processes: readonly string[];
}

function near({ random, moments, busyMs }: Draw, spreadMs: number): number {
  return random.chance(0.2)
    ? random.between(200, busyMs)
    : Math.min(busyMs, random.pick(moments) + random.next() * random.next() * spreadMs);
}

export function names(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
}

function submissions(draw: Draw): Submit[] {
  const { random, partitions } = draw;
  const ids = 1 + random.int(random.chance(0.5) ? 3 : 8);
  return Array.from({ length: 10 + random.int(60) }, () => {
    const id = random.int(ids);
    return {
      kind: 'submit',
      at: near(draw, 3_000),
      id,
      sample: random.chance(0.9) ? id : random.int(ids),
      consent: random.int(3),
      partition: random.int(partitions),
      // An identity keeps its country, mostly: sent with another it is another's.
      country: random.chance(0.85) ? (COUNTRIES[id % 4] ?? 'CH') : random.pick(COUNTRIES),
      ...(random.chance(0.1) ? { hostile: random.pick(HOSTILE) } : {}),
      ...(random.chance(0.08)
        ? { transaction: { openMs: random.between(1, 4_000), commits: random.chance(0.5) } }
        : {}),
    };
  });
}

function consents(draw: Draw): Happening[] {
  const { random, busyMs } = draw;
  const first = [0, 1].map((consent): Happening => ({
    kind: 'grant',
    at: random.between(0, 50),
    consent,
    terms: 0,
  }));
  const later = Array.from({ length: random.int(14) }, (): Happening => ({
    kind: random.chance(0.6) ? 'grant' : 'withdraw',
    at: near(draw, 3_000),
    consent: random.int(3),
    terms: random.int(3),
  }));
  const bad = Array.from({ length: random.int(2) }, (): Happening => ({
    kind: 'bad-consent',
    at: random.between(0, busyMs),
  }));
  return [...first, ...later, ...bad];
}

function policyChange(draw: Draw, policies: readonly PolicyChange[]): Happening {
  const { random } = draw;
  const leadMs = Math.round(random.between(500, 3_000));
  // In force just when the traffic comes.
  return {
    kind: 'policy',
    at: Math.max(100, near(draw, 2_000) - leadMs),
    change: random.pick(policies),
    leadMs,
  };
}

/** What makes a fault matter. */
function behind(one: Happening, draw: Draw): Happening[] {
  if (one.kind === 'leader-moves')
    return one.topic === 'threat.consents' ? consentAt(one.at, draw) : [];
  return one.kind === 'log-cut' ? placedBefore(one, draw) : [];
}

/**
 * A record that stands in its first site when the log loses it, because the second one refuses
 * meanwhile.
 */
function placedBefore(
  { at, partition }: Extract<Happening, { kind: 'log-cut' }>,
  { random }: Draw,
): Happening[] {
  const id = random.int(3);
  const [sent, away] = [
    Math.max(100, at - random.between(1_200, 2_500)),
    random.between(500, 3_000),
  ];
  return [
    { kind: 'submit', at: sent, id, sample: id, country: 'CH', consent: random.int(2), partition },
    {
      kind: 'site-refuses',
      at: sent,
      site: 'zrh-2',
      how: 'SITE_REFUSED',
      awayMs: at - sent + away,
    },
  ];
}

/**
 * A consent that is given or withdrawn just when the log's leader moves to another clock, and a
 * record whose outcome it decides.
 */
function consentAt(at: number, { random, partitions }: Draw): Happening[] {
  const consent = random.int(3);
  const id = random.int(3);
  return [
    {
      kind: 'submit',
      at: Math.max(100, at - random.between(-100, 400)),
      id,
      sample: id,
      country: 'CH',
      consent,
      partition: random.int(partitions),
    },
    {
      kind: random.chance(0.5) ? 'grant' : 'withdraw',
      at: at + random.between(0, 400),
      consent,
      terms: 0,
    },
  ];
}

function fault(kind: FaultKind, draw: Draw): Happening {
  const { random, partitions, processes } = draw;
  const at = near(draw, 4_000);
  const awayMs = random.chance(0.7) ? random.between(20, 2_500) : random.between(2_500, 12_000);
  const site = random.pick(SITES);
  switch (kind) {
    case 'kill':
    case 'stop':
    case 'freeze':
      return { kind, at, process: random.pick(processes), awayMs };
    case 'weather':
      return {
        kind,
        at,
        service: random.pick(SERVICES),
        lost: random.pick([0, 0.1, 0.5, 1]),
        unanswered: random.pick([0, 0.1, 0.5, 1]),
        slowMs: random.pick([0, 0, 100, 2_000, 6_000]),
        awayMs,
      };
    case 'site-refuses':
      return { kind, at, site, how: random.pick(['SITE_REFUSED', 'SITE_FULL'] as const), awayMs };
    case 'power-cut':
      return { kind, at, site };
    case 'conflicts':
      return { kind, at, site, count: 1 + random.int(10) };
    case 'object-lost':
    case 'object-damaged':
      return { kind, at, site, which: random.int(100) };
    case 'site-older':
      return { kind, at, site, byMs: random.between(50, 20_000) };
    case 'redis-older':
      return { kind, at, byMs: random.between(50, 20_000) };
    case 'markers-lost':
      return { kind, at, count: 1 + random.int(2) };
    case 'commit-fails':
      return {
        kind,
        at,
        how: random.pick(['lost', 'unanswered', 'late', 'frozen'] as const),
        lateMs: random.chance(0.5) ? random.between(20, 400) : random.between(400, 7_000),
      };
    case 'markers-slow':
      return { kind, at, ms: random.between(50, 3_000), awayMs };
    case 'leader-moves':
      return {
        kind,
        at,
        topic: random.pick([
          'threat.samples',
          'threat.consents',
          'residency.policy',
          'residency.audit',
        ]),
        partition: random.int(partitions),
        to: random.int(3),
      };
    case 'redrive':
      return { kind, at, which: random.int(100) };
    case 'log-cut':
      return {
        kind,
        at,
        partition: random.int(partitions),
        records: 1 + random.int(4),
        restarts: random.chance(0.5),
        again: Array.from({ length: random.int(6) }, () => ({
          index: random.int(4),
          otherwise: random.chance(0.5),
        })),
      };
    case 'redis-emptied':
    case 'rebalance':
    case 'offsets-forgotten':
    case 'pause':
    case 'retention':
    case 'topic-remade':
      return { kind, at };
    default:
      return kind satisfies never;
  }
}
