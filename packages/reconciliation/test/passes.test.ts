import { CodedError } from '@residency/coded-error';
import { objectKey } from '@residency/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reconcile } from '../src/index.ts';
import type {
  Difference,
  PlacedObject,
  ReadingProgress,
  ReconcileDeps,
  ReconcileOptions,
} from '../src/index.ts';
import {
  REGIONS,
  at,
  depsOf,
  emptyWorld,
  judged,
  objectOf,
  placementOf,
  positionOf,
  publish,
  put,
  refuse,
  sampleWorld,
  seal,
  settle,
  store,
  submissionOf,
} from './world.ts';
import type { World } from './world.ts';

const nameOf = ({ site, partition, offset }: PlacedObject): string =>
  `${site} ${partition} ${offset}`;

/** A progress in memory. */
class Checked implements ReadingProgress {
  readonly objects = new Map<string, readonly Difference[]>();
  isChecked(object: PlacedObject): boolean {
    return this.objects.has(nameOf(object));
  }
  begins(object: PlacedObject): (found: readonly Difference[]) => void {
    return (found) => {
      this.objects.set(nameOf(object), found);
    };
  }
}

/** Counts reads by site and key. */
function counting(deps: ReconcileDeps, reads: Map<string, number>): ReconcileDeps {
  return {
    ...deps,
    sites: deps.sites.map((reader) => ({
      ...reader,
      read: async (key: string) => {
        reads.set(`${reader.site} ${key}`, (reads.get(`${reader.site} ${key}`) ?? 0) + 1);
        return await reader.read(key);
      },
    })),
  };
}

const samples = fc.uniqueArray(
  fc.record({
    name: fc.stringMatching(/^[a-z]{1,3}$/),
    region: fc.constantFrom('zurich', 'moscow'),
    partition: fc.constantFrom(0, 1),
    lost: fc.constantFrom('', 'zrh-1', 'zrh-2', 'mow-1'),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
);

function worldOf(
  records: readonly {
    readonly name: string;
    readonly region: string;
    readonly partition: number;
    readonly lost: string;
  }[],
): World {
  const world = emptyWorld();
  for (const { name, region, partition, lost } of records) {
    store(world, name, region, partition);
    world.sites.get(lost)?.delete(objectKey(submissionOf(name)));
  }
  return world;
}

describe('a pass of several runs', () => {
  it('reads each object once and finds the same differences as one run, wherever it is interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(
        samples,
        fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
        fc.integer({ min: 1, max: 4 }),
        async (records, lengths, concurrency) => {
          const world = worldOf(records);
          const [progress, reads] = [new Checked(), new Map<string, number>()];
          const deps = counting(depsOf(world), reads);
          let runs = 0;
          for (let whole = false; !whole; runs += 1) {
            let left = lengths.next().value;
            whole = true;
            const enough = (): boolean => {
              left -= 1;
              if (left < 0) whole = false;
              return !whole;
            };
            await reconcile(deps, { progress, enough, concurrency });
          }
          const once = await reconcile(depsOf(world));
          expect(runs).toBeLessThanOrEqual(1 + records.length * 2);
          expect(
            [...progress.objects.values()]
              .flat()
              .map(({ code, site, key }) => `${code} ${site} ${key}`)
              .toSorted(),
          ).toEqual(
            once.differences.list.map(({ code, site, key }) => `${code} ${site} ${key}`).toSorted(),
          );
          const placed = records.flatMap(({ name, region }) =>
            (REGIONS[region] ?? []).map((site) => `${site} ${objectKey(submissionOf(name))}`),
          );
          expect([[...reads.keys()].toSorted(), new Set(reads.values())]).toEqual([
            placed.toSorted(),
            new Set(placed.length === 0 ? [] : [1]),
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('counts objects of earlier runs as checked', async () => {
    const world = sampleWorld();
    const progress = new Checked();
    await reconcile(depsOf(world), { progress });
    expect(await reconcile(depsOf(world), { progress })).toMatchObject({
      storedChecked: 3,
      opened: 0,
      differences: { total: 0 },
    });
  });

  it('begins the objects of a site and partition in the order of their offsets, and reports the differences of each', async () => {
    const world = emptyWorld();
    for (let i = 0; i < 20; i += 1) store(world, `s${i}`, 'zurich', i % 2);
    world.sites.get('zrh-2')?.delete(objectKey(submissionOf('s4')));
    const [begun, ended]: [PlacedObject[], string[]] = [[], []];
    const progress: ReadingProgress = {
      isChecked: () => false,
      begins: (object) => {
        begun.push(object);
        return (found) => {
          ended.push(`${nameOf(object)} ${found.map(({ code }) => code).join()}`);
        };
      },
    };
    await reconcile(depsOf(world), { progress, concurrency: 4 });
    for (const lane of Map.groupBy(begun, ({ site, partition }) => `${site} ${partition}`).values())
      expect(lane.map(({ offset }) => offset)).toEqual(lane.map((_, i) => BigInt(i)));
    expect(ended.filter((line) => line.endsWith('OBJECT_MISSING'))).toEqual([
      'zrh-2 log-1/threat.samples/0 2 OBJECT_MISSING',
    ]);
    expect(ended).toHaveLength(40);
  });

  it('leaves an event that came after the first reading to the next run', async () => {
    const world = sampleWorld();
    const [progress, reads] = [new Checked(), new Map<string, number>()];
    await reconcile(counting(depsOf(world), reads), {
      progress,
      onSurveyed: () => {
        store(world, 'late', 'moscow');
      },
    });
    expect(reads.has(`mow-1 ${objectKey(submissionOf('late'))}`)).toBe(false);
    await reconcile(counting(depsOf(world), reads), { progress });
    expect(reads.get(`mow-1 ${objectKey(submissionOf('late'))}`)).toBe(1);
  });
});

describe('the order of reports', () => {
  /** A world with one fault of each kind in the wrong place, and one in the trail. */
  function wrongInEveryWay(): World {
    const world = sampleWorld();
    put(world, 'mow-1', 'a', at(world, 'zrh-1', 'a'));
    put(world, 'mow-1', 'x', objectOf('x', 'moscow', positionOf(0, 2n)));
    publish(world, 1);
    put(world, 'mow-1', 'y', objectOf('y', 'moscow', positionOf(1, 2n), 0, seal('y', 'zurich')));
    world.sites.get('zrh-1')?.set('note.txt', { bytes: Buffer.from('x') });
    world.foreignSites.push('xyz-9');
    world.pointers.pop();
    world.sites.get('zrh-2')?.delete(objectKey(submissionOf('a')));
    return world;
  }

  it('reports every object in the wrong place before it reads the first object of a stored event', async () => {
    const world = wrongInEveryWay();
    const order: string[] = [];
    const progress: ReadingProgress = {
      isChecked: () => false,
      begins: () => {
        order.push('reads');
        return () => undefined;
      },
    };
    const { differences } = await reconcile(depsOf(world), {
      progress,
      onDifference: ({ code }) => {
        order.push(code);
      },
      onSurveyed: () => {
        order.push('surveyed');
      },
    });
    const surveyed = order.indexOf('surveyed');
    expect(order.slice(0, surveyed).toSorted()).toEqual([
      'CONTEXT_DIFFERS',
      'FOREIGN_OBJECT',
      'FOREIGN_SITE',
      'OBJECT_WITHOUT_EVENT',
      'POINTER_MISSING',
      'WRONG_REGION',
    ]);
    expect(order.slice(surveyed).filter((what) => what !== 'reads')).toEqual([
      'surveyed',
      'OBJECT_MISSING',
    ]);
    expect(differences.total).toBe(7);
  });
});

describe('a foreign object', () => {
  it('is reported if it is listed twice, not if a store lists a write in progress for a moment', async () => {
    const world = sampleWorld();
    const zurich = world.sites.get('zrh-1');
    zurich?.set('note.txt', { bytes: Buffer.from('x') });
    zurich?.set(`${objectKey(submissionOf('a'))}-part`, { bytes: Buffer.from('x') });
    const deps = depsOf(world);
    const committed = async () => {
      zurich?.delete(`${objectKey(submissionOf('a'))}-part`);
      return await deps.trail.committed();
    };
    const { differences } = await reconcile({ ...deps, trail: { ...deps.trail, committed } });
    expect(differences.list).toEqual([
      expect.objectContaining({ code: 'FOREIGN_OBJECT', site: 'zrh-1', key: 'note.txt' }),
    ]);
  });

  it('is counted once, however many there are', async () => {
    const world = sampleWorld();
    for (let number = 0; number < 10_500; number += 1)
      world.sites.get('zrh-1')?.set(`note-${number}`, { bytes: Buffer.alloc(0) });
    const deps = depsOf(world);
    const sites = deps.sites.map((reader) => ({
      ...reader,
      async *list() {
        for (const key of world.sites.get(reader.site)?.keys() ?? [])
          yield { key, foreign: key.startsWith('note') };
      },
    }));
    expect((await reconcile({ ...deps, sites })).differences.byCode).toEqual({
      FOREIGN_OBJECT: 10_500,
    });
  });
});

describe('a policy version that is published while it runs', () => {
  const NEWER = 'f'.repeat(64);
  /** Adds an event under a policy version that is published after the run began. */
  function storedUnderNewer(world: World): void {
    const position = positionOf(0, 4n);
    const object = objectOf(
      'n',
      'moscow',
      position,
      0,
      seal('n', 'moscow', 0, { policyDigest: NEWER }),
    );
    const data = judged('n', 'moscow');
    object.metadata = { ...object.metadata, 'policy-digest': NEWER };
    put(world, 'mow-1', 'n', object);
    settle(world, 0, {
      outcome: 'stored',
      data: {
        ...data,
        decision: { ...data.decision, policy: { ...data.decision.policy, digest: NEWER } },
        placements: [placementOf('mow-1', 'n', object)],
      },
    });
  }
  /** Deps that know the version only after `learn` was called for it. */
  function learning(deps: ReconcileDeps, asked: string[] = []): ReconcileDeps {
    const knows = (digest: string): boolean => digest !== NEWER || asked.includes(NEWER);
    const known = (digest: string): string =>
      digest === NEWER ? judged('n', 'moscow').decision.policy.digest : digest;
    return {
      ...deps,
      sitesOf: (digest, region) =>
        knows(digest) ? deps.sitesOf(known(digest), region) : undefined,
      ruleHolds: (digest, claimed) => knows(digest) && deps.ruleHolds(known(digest), claimed),
      learn: async (digest) => {
        asked.push(digest);
      },
    };
  }

  it('is learned for the event that names it', async () => {
    const world = sampleWorld();
    storedUnderNewer(world);
    const asked: string[] = [];
    expect((await reconcile(learning(depsOf(world), asked))).differences.list).toEqual([]);
    expect(asked).toEqual([NEWER]);
    expect(
      (await reconcile({ ...learning(depsOf(world)), learn: () => Promise.resolve() })).differences
        .byCode,
    ).toEqual({ POLICY_UNKNOWN: 1 });
  });

  it('is learned for the object in flight that names it', async () => {
    const world = sampleWorld();
    publish(world, 0);
    const object = objectOf(
      'n',
      'moscow',
      positionOf(0, 4n),
      0,
      seal('n', 'moscow', 0, { policyDigest: NEWER }),
    );
    object.metadata = { ...object.metadata, 'policy-digest': NEWER };
    put(world, 'mow-1', 'n', object);
    expect(await reconcile(learning(depsOf(world)))).toMatchObject({
      inFlight: 1,
      differences: { total: 0 },
    });
  });

  it('causes no read if all versions are known', async () => {
    const asked: string[] = [];
    await reconcile(learning(depsOf(sampleWorld()), asked));
    expect(asked).toEqual([]);
  });
});

describe('an unreachable site', () => {
  const down = new CodedError({
    code: 'SITE_UNREACHABLE',
    message: 'It is down.',
    remedy: 'retry',
  });
  type Breaks = 'list' | 'read';

  function without(
    deps: ReconcileDeps,
    site: string,
    what: Breaks,
    error: Error = down,
  ): ReconcileDeps {
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
    const broken = { list: { list: () => failing }, read: { read: () => Promise.reject(error) } }[
      what
    ];
    return {
      ...deps,
      sites: deps.sites.map((reader) => (reader.site === site ? { ...reader, ...broken } : reader)),
    };
  }

  /** A world with faults in each site, in its list and in its objects. */
  function brokenWorld(): World {
    const world = sampleWorld();
    refuse(world, 'x');
    for (const [site, objects] of world.sites) {
      objects.set(`stray-${site}`, { bytes: Buffer.from('x') });
      objects.delete(objectKey(submissionOf(site === 'mow-1' ? 'b' : 'a')));
    }
    return world;
  }

  it.each(['list', 'read'] as const)(
    'is reported once, and the others are compared completely: %s',
    async (what) => {
      const reported: string[] = [];
      const options: ReconcileOptions = {
        progress: new Checked(),
        onSiteUnreachable: (site, error) => {
          reported.push(`${site} ${String(error === down)}`);
        },
      };
      const report = await reconcile(without(depsOf(brokenWorld()), 'zrh-1', what), options);
      expect(reported).toEqual(['zrh-1 true']);
      const found = report.differences.list
        .filter(({ site }) => site !== 'zrh-1')
        .map(({ code, site }) => `${code} ${site}`)
        .toSorted();
      expect(found).toEqual([
        'FOREIGN_OBJECT mow-1',
        'FOREIGN_OBJECT zrh-2',
        'OBJECT_MISSING mow-1',
        'OBJECT_MISSING zrh-2',
      ]);
      expect(
        report.differences.list.filter(({ site }) => site === 'zrh-1').map(({ code }) => code),
      ).toEqual(what === 'list' ? [] : ['FOREIGN_OBJECT']);
    },
  );

  it('resumes where it was once it is reachable, and none of its objects counts as checked before', async () => {
    const world = brokenWorld();
    const [progress, reads] = [new Checked(), new Map<string, number>()];
    await reconcile(counting(without(depsOf(world), 'zrh-1', 'list'), reads), {
      progress,
      onSiteUnreachable: () => undefined,
    });
    expect([...progress.objects.keys()].some((name) => name.startsWith('zrh-1'))).toBe(false);
    const back = await reconcile(counting(depsOf(world), reads), { progress });
    expect(back).toMatchObject({
      storedChecked: 3,
      differences: { byCode: { OBJECT_MISSING: 1, FOREIGN_OBJECT: 3 } },
    });
    expect([...new Set(reads.values())]).toEqual([1]);
  });

  it('is not read if it is known to be unreachable, and does not count as unconfigured', async () => {
    const [reported, reads]: [string[], Map<string, number>] = [[], new Map()];
    const report = await reconcile(
      counting(without(depsOf(brokenWorld()), 'zrh-1', 'list'), reads),
      {
        unreachable: ['zrh-1'],
        onSiteUnreachable: (site) => {
          reported.push(site);
        },
      },
    );
    expect([
      reported,
      report.differences.byCode,
      [...reads.keys()].filter((name) => name.startsWith('zrh-1')),
    ]).toEqual([[], { OBJECT_MISSING: 2, FOREIGN_OBJECT: 2 }, []]);
  });

  it.each(['list', 'read'] as const)(
    'ends the run if onSiteUnreachable is absent, or if its error is permanent: %s',
    async (what) => {
      const wrong = new CodedError({
        code: 'SITE_MARKER_MISMATCH',
        message: 'It is another.',
        remedy: 'stop',
      });
      await expect(reconcile(without(depsOf(brokenWorld()), 'zrh-1', what))).rejects.toBe(down);
      await expect(
        reconcile(without(depsOf(brokenWorld()), 'zrh-1', what, wrong), {
          onSiteUnreachable: () => undefined,
        }),
      ).rejects.toBe(wrong);
    },
  );
});
