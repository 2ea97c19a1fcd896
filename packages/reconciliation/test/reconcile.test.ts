import { CodedError } from '@residency/coded-error';
import { formatPosition, objectKey, sha256 } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { DIFFERENCE_CODES, reconcile } from '../src/index.ts';
import type { ReconcileDeps } from '../src/index.ts';
import { custodyManipulations } from './custody-manipulations.ts';
import { lossManipulations } from './loss-manipulations.ts';
import { erasureManipulations } from './erasure-manipulations.ts';
import { editFirst, flip } from './manipulation.ts';
import type { Manipulation } from './manipulation.ts';
import {
  POLICY,
  at,
  conflict,
  depsOf,
  duplicate,
  emptyWorld,
  judged,
  objectOf,
  partitionName,
  placementOf,
  pointerOf,
  positionOf,
  publish,
  put,
  sampleWorld,
  seal,
  settle,
  store,
  submissionOf,
} from './world.ts';
import type { Position } from '@residency/contracts';
import type { World } from './world.ts';

const a = {
  submission: submissionOf('a'),
  key: objectKey(submissionOf('a')),
  position: 'log-1/threat.samples/0/0',
};

const OTHER_METADATA: Readonly<Record<string, string>> = {
  position: 'log-1/threat.samples/0/1',
  'sample-sha256': sha256(Buffer.from('other')),
  country: 'RU',
  'policy-digest': sha256(Buffer.from('other')),
  'sealed-sha256': sha256(Buffer.from('other')),
  'wrapping-key': 'other',
};

const manipulations: readonly Manipulation[] = [
  ...custodyManipulations,
  ...erasureManipulations,
  ...lossManipulations,
  {
    title: 'the copy of a duplicate in the place of an object that the first site lost',
    code: 'OBJECT_REPLACED',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      replaceAt(world, 'zrh-1', 'a', {});
    },
  },
  {
    title: 'the object of another sample in the place of one that the first site lost',
    code: 'OBJECT_REPLACED',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      replaceAt(world, 'zrh-1', 'a', { sampleSha256: sha256(Buffer.from('other')) });
    },
  },
  {
    title: 'a second stored event of an identity in one region',
    code: 'STORED_TWICE',
    where: { submission: submissionOf('e'), position: 'log-1/threat.samples/0/5' },
    apply: (world) => {
      storeTwice(world);
    },
  },
  {
    title: 'an object adopted from a record of another submission',
    code: 'ADOPTED_WRONGLY',
    where: { submission: submissionOf('e') },
    apply: (world) => {
      adopt(world, positionOf(0, 0n));
    },
  },
  {
    title: 'an object adopted from a record of another log',
    code: 'ADOPTED_WRONGLY',
    where: { submission: submissionOf('e') },
    apply: (world) => {
      adopt(world, { ...positionOf(0, 2n), log: 'log-0' });
    },
  },
  {
    title: 'an object adopted from a position beyond the log',
    code: 'ADOPTED_WRONGLY',
    where: { submission: submissionOf('e') },
    apply: (world) => {
      adopt(world, positionOf(0, 9n));
    },
  },
  {
    title: 'an adopted object of another position than the event names',
    code: 'METADATA_DIFFERS',
    where: { site: 'zrh-2' },
    apply: (world) => {
      adopt(world, becameDuplicate(world));
      at(world, 'zrh-2', 'e').metadata = {
        ...at(world, 'zrh-2', 'e').metadata,
        position: 'log-1/threat.samples/0/2',
      };
    },
  },
  {
    title: 'an adopted object of another policy than the event names',
    code: 'METADATA_DIFFERS',
    where: { site: 'zrh-2' },
    apply: (world) => {
      adopt(world, becameDuplicate(world));
      at(world, 'zrh-2', 'e').metadata = {
        ...at(world, 'zrh-2', 'e').metadata,
        'policy-digest': POLICY,
      };
    },
  },
  {
    title: 'an adopted object whose message is bound to the adopting policy',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'zrh-2' },
    apply: (world) => {
      adopt(world, becameDuplicate(world), { policyDigest: POLICY });
    },
  },
  {
    title: "an object of the event's own policy where it names an older one",
    code: 'METADATA_DIFFERS',
    where: { site: 'zrh-2' },
    apply: (world) => {
      at(world, 'zrh-2', 'a').metadata = {
        ...at(world, 'zrh-2', 'a').metadata,
        'policy-digest': OLDER,
      };
    },
  },
  {
    title: 'a copy that its duplicate names, altered',
    code: 'CIPHERTEXT_DIFFERS',
    where: { site: 'zrh-3' },
    apply: (world) => {
      leaveCopy(world);
      flip(world, 'zrh-3', 'a');
    },
  },
  {
    title: 'an object that is gone',
    code: 'OBJECT_MISSING',
    where: { ...a, site: 'zrh-2' },
    apply: (world) => world.sites.get('zrh-2')?.delete(a.key),
  },
  {
    title: 'an object nobody settled',
    code: 'OBJECT_WITHOUT_EVENT',
    where: { site: 'mow-1', position: 'log-1/threat.samples/0/2', submission: submissionOf('x') },
    apply: (world) => put(world, 'mow-1', 'x', objectOf('x', 'moscow', positionOf(0, 2n))),
  },
  {
    title: 'an object of a log that is not this one',
    code: 'OBJECT_WITHOUT_EVENT',
    where: { site: 'mow-1', position: 'log-0/threat.samples/0/99' },
    apply: (world) =>
      put(world, 'mow-1', 'x', objectOf('x', 'moscow', { ...positionOf(0, 99n), log: 'log-0' })),
  },
  {
    title: 'an object without event and without metadata',
    code: 'OBJECT_WITHOUT_EVENT',
    where: { site: 'mow-1' },
    apply: (world) => put(world, 'mow-1', 'x', { bytes: Buffer.from('x') }),
  },
  {
    title: "an object copied to another region's site",
    code: 'WRONG_REGION',
    where: { ...a, site: 'mow-1' },
    apply: (world) => put(world, 'mow-1', 'a', at(world, 'zrh-1', 'a')),
  },
  {
    title: 'a flipped bit',
    code: 'CIPHERTEXT_DIFFERS',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      flip(world, 'zrh-1', 'a');
    },
  },
  {
    title: 'a cut object',
    code: 'SIZE_DIFFERS',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      at(world, 'zrh-1', 'a').bytes = at(world, 'zrh-1', 'a').bytes.subarray(0, -1);
    },
  },
  ...(['region', 'policyDigest', 'sampleSha256', 'submission'] as const).map(
    (member): Manipulation => ({
      title: `a message bound to another ${member}`,
      code: 'CONTEXT_DIFFERS',
      where: { site: 'mow-1', submission: submissionOf('e') },
      apply: (world) => {
        storeSealed(world, seal('e', 'moscow', 0, { [member]: sha256(Buffer.from('other')) }));
      },
    }),
  ),
  {
    title: 'a message whose data key is wrapped a second time',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      storeSealed(world, seal('e', 'moscow', 0, { wrappingKeys: ['moscow-key', 'stolen'] }));
    },
  },
  {
    title: 'a message wrapped with another key',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      storeSealed(world, seal('e', 'moscow', 0, { wrappingKeys: ['stolen'] }));
    },
  },
  {
    title: 'bytes that are no sealed message',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      storeSealed(world, Buffer.from('plain'));
    },
  },
  ...Object.entries(OTHER_METADATA).map(([name, value]): Manipulation => ({
    title: `metadata with another ${name}`,
    code: 'METADATA_DIFFERS',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      at(world, 'zrh-1', 'a').metadata = { ...at(world, 'zrh-1', 'a').metadata, [name]: value };
    },
  })),
  {
    title: 'metadata no router writes',
    code: 'METADATA_DIFFERS',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      at(world, 'zrh-1', 'a').metadata = {};
    },
  },
  {
    title: 'an object without metadata',
    code: 'METADATA_MISSING',
    where: { ...a, site: 'zrh-1' },
    apply: (world) => {
      delete at(world, 'zrh-1', 'a').metadata;
    },
  },
  {
    title: 'a key no router writes',
    code: 'FOREIGN_OBJECT',
    where: { site: 'zrh-1', key: 'samples/00/00/??[2J' },
    apply: (world) =>
      world.sites.get('zrh-1')?.set('samples/00/00/é\u001B[2J', { bytes: Buffer.from('x') }),
  },
  {
    title: 'a placement the event does not name',
    code: 'PLACEMENTS_INCOMPLETE',
    where: { submission: a.submission, position: a.position },
    apply: (world) => {
      editPlacements(world, (placements) => placements.slice(0, 1));
    },
  },
  {
    title: 'placements in another order',
    code: 'PLACEMENTS_INCOMPLETE',
    where: { submission: a.submission },
    apply: (world) => {
      editPlacements(world, (placements) => placements.toReversed());
    },
  },
  {
    title: 'a placement at another key',
    code: 'PLACEMENTS_INCOMPLETE',
    where: { submission: a.submission },
    apply: (world) => {
      editPlacements(world, (placements) =>
        placements.map((one) => ({ ...one, key: 'samples/elsewhere' })),
      );
    },
  },
  {
    title: 'an event that is missing',
    code: 'PREVIOUS_BROKEN',
    where: { position: 'log-1/threat.samples/0/3' },
    apply: (world) => world.events[0]?.splice(2, 1),
  },
  {
    title: "a partition's first event that is missing",
    code: 'PREVIOUS_BROKEN',
    where: { position: 'log-1/threat.samples/1/1' },
    apply: (world) => {
      world.events[1]?.shift();
      world.pointers.pop();
    },
  },
  {
    title: 'an event that was appended twice',
    code: 'POSITION_TWICE',
    where: { position: a.position },
    apply: (world) => world.events[0]?.splice(1, 0, world.events[0][0] ?? Buffer.alloc(0)),
  },
  {
    title: 'progress beyond the last event',
    code: 'LAST_EVENT_MISMATCH',
    where: { position: 'log-1/threat.samples/0/3' },
    apply: (world) => world.committed.set(partitionName(0), 4n),
  },
  {
    title: 'progress set back',
    code: 'LAST_EVENT_MISMATCH',
    where: { position: 'log-1/threat.samples/0/3' },
    apply: (world) => world.committed.set(partitionName(0), 2n),
  },
  {
    title: 'progress lost',
    code: 'LAST_EVENT_MISMATCH',
    where: { position: 'log-1/threat.samples/1/1' },
    apply: (world) => world.committed.set(partitionName(1), -1n),
  },
  {
    title: 'a record in the audit log that is no event',
    code: 'AUDIT_EVENT_INVALID',
    where: {},
    apply: (world) => world.events[0]?.push(Buffer.from('{}')),
  },
  {
    title: 'a duplicate of a position that stored nothing',
    code: 'DUPLICATE_OF_UNKNOWN',
    where: { position: 'log-1/threat.samples/0/4', submission: submissionOf('c') },
    apply: (world) => duplicate(world, 'c', 'zurich', positionOf(0, 2n)),
  },
  {
    title: 'a duplicate of a position that stored another submission',
    code: 'DUPLICATE_OF_UNKNOWN',
    where: { submission: a.submission },
    apply: (world) => duplicate(world, 'a', 'zurich', positionOf(1, 1n)),
  },
  {
    title: 'an object that claims a position beyond the log',
    code: 'OBJECT_WITHOUT_EVENT',
    where: { site: 'mow-1', position: 'log-1/threat.samples/0/4' },
    apply: (world) => put(world, 'mow-1', 'x', objectOf('x', 'moscow', positionOf(0, 4n))),
  },
  {
    title: 'a duplicate of a position beyond the log',
    code: 'DUPLICATE_OF_UNKNOWN',
    where: { submission: submissionOf('c') },
    apply: (world) => duplicate(world, 'c', 'zurich', positionOf(1, 2n)),
  },
  {
    title: 'a conflict with a position that stored nothing',
    code: 'CONFLICT_WITH_UNKNOWN',
    where: { position: 'log-1/threat.samples/0/4', submission: submissionOf('c') },
    apply: (world) => conflict(world, 'c', 'zurich', positionOf(0, 2n)),
  },
  {
    title: 'a conflict with a position that stored another submission',
    code: 'CONFLICT_WITH_UNKNOWN',
    where: { submission: a.submission },
    apply: (world) => conflict(world, 'a', 'zurich', positionOf(1, 1n)),
  },
  {
    title: 'a conflict with a position beyond the log',
    code: 'CONFLICT_WITH_UNKNOWN',
    where: { submission: submissionOf('c') },
    apply: (world) => conflict(world, 'c', 'zurich', positionOf(1, 2n)),
  },
  {
    title: 'a duplicate that only a conflict leads to a stored record',
    code: 'DUPLICATE_OF_UNKNOWN',
    where: { position: 'log-1/threat.samples/1/2', submission: a.submission },
    apply: (world) => {
      const other = conflict(world, 'a', 'zurich', positionOf(0, 0n));
      return duplicate(world, 'a', 'zurich', other, 1);
    },
  },
  {
    title: 'an object in flight of another region',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1', submission: submissionOf('x') },
    apply: (world) => {
      putInFlight(world, seal('x', 'zurich', 0, { wrappingKeys: ['moscow-key'] }));
    },
  },
  {
    title: 'an object in flight of another submission',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      putInFlight(world, seal('x', 'moscow', 0, { submission: submissionOf('y') }));
    },
  },
  {
    title: 'an object in flight whose data key is wrapped twice',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      putInFlight(world, seal('x', 'moscow', 0, { wrappingKeys: ['moscow-key', 'stolen'] }));
    },
  },
  {
    title: 'an object in flight that is no sealed message',
    code: 'CONTEXT_DIFFERS',
    where: { site: 'mow-1' },
    apply: (world) => {
      putInFlight(world, Buffer.from('plain'));
    },
  },
  {
    title: 'a link under a key that only an object may have',
    code: 'FOREIGN_OBJECT',
    where: { site: 'mow-1', key: objectKey(submissionOf('x')) },
    apply: (world) => put(world, 'mow-1', 'x', { bytes: Buffer.from('x'), link: true }),
  },
  {
    title: 'a site no policy names',
    code: 'FOREIGN_SITE',
    where: { site: 'xyz-9' },
    apply: (world) => world.foreignSites.push('xyz-9'),
  },
  {
    title: 'a quarantined event without its pointer',
    code: 'POINTER_MISSING',
    where: { position: 'log-1/threat.samples/1/0' },
    apply: (world) => world.pointers.pop(),
  },
  {
    title: 'a pointer to what was not quarantined',
    code: 'POINTER_WITHOUT_EVENT',
    where: { position: a.position },
    apply: (world) => world.pointers.push(pointerOf(positionOf(0, 0n))),
  },
  {
    title: 'a pointer to what is not settled',
    code: 'POINTER_WITHOUT_EVENT',
    where: { position: 'log-1/threat.samples/0/4' },
    apply: (world) => {
      publish(world, 0);
      world.pointers.push(pointerOf(positionOf(0, 4n)));
    },
  },
  {
    title: 'another pointer to the same record',
    code: 'POINTER_WITHOUT_EVENT',
    where: { position: 'log-1/threat.samples/1/0' },
    apply: (world) =>
      world.pointers.push(Buffer.concat([pointerOf(positionOf(1, 0n)), Buffer.from(' ')])),
  },
  {
    title: 'a record in the quarantine that is no pointer',
    code: 'POINTER_WITHOUT_EVENT',
    where: {},
    apply: (world) => world.pointers.push(Buffer.from('{}')),
  },
  {
    title: 'an event that is looked up as another',
    code: 'LOOKUP_DIFFERS',
    where: { position: 'log-1/residency.audit/0/1' },
    apply: (world) => world.lookupDifferences.push('log-1/residency.audit/0/1'),
  },
  {
    title: 'a rule the policy does not have',
    code: 'DECISION_DIFFERS',
    where: { submission: submissionOf('b') },
    apply: () => undefined,
    deps: (deps) => ({
      ...deps,
      ruleHolds: (policy, claimed) =>
        claimed.rule !== 'rule-moscow' && deps.ruleHolds(policy, claimed),
    }),
  },
  {
    title: 'a policy nobody knows',
    code: 'POLICY_UNKNOWN',
    where: { submission: submissionOf('b') },
    apply: () => undefined,
    deps: (deps) => ({
      ...deps,
      sitesOf: (policy, region) => (region === 'moscow' ? undefined : deps.sitesOf(policy, region)),
    }),
  },
  {
    title: 'a site that is not configured',
    code: 'SITE_NOT_READ',
    where: { site: 'zrh-2' },
    apply: () => undefined,
    deps: (deps) => ({ ...deps, sites: deps.sites.filter(({ site }) => site !== 'zrh-2') }),
  },
  {
    title: 'an object no key opens',
    code: 'DOES_NOT_OPEN',
    where: { site: 'mow-1', submission: submissionOf('b') },
    apply: () => undefined,
    deps: (deps) => ({
      ...deps,
      open: async (message, region) => {
        if (region === 'moscow') throw new Error('sample b');
        return await opening(deps)(message, region);
      },
    }),
  },
  {
    title: 'an object that opens to another sample',
    code: 'OPENED_DIFFERS',
    where: { site: 'mow-1' },
    apply: () => undefined,
    deps: (deps) => ({
      ...deps,
      open: async (message, region) => ({
        ...(await opening(deps)(message, region)),
        ...(region === 'moscow' ? { sample: Buffer.from('sample z') } : {}),
      }),
    }),
  },
  {
    title: 'an object that opens to another context',
    code: 'OPENED_DIFFERS',
    where: { site: 'mow-1' },
    apply: () => undefined,
    deps: (deps) => ({
      ...deps,
      open: async (message, region) => {
        const opened = await opening(deps)(message, region);
        return region === 'moscow'
          ? { ...opened, context: { ...opened.context, region: 'zurich' } }
          : opened;
      },
    }),
  },
];

const OLDER = sha256(Buffer.from('an older policy'));

/** Puts an intact object of another record in the place of the event's own. */
function replaceAt(
  world: World,
  site: string,
  name: string,
  over: { readonly sampleSha256?: string },
): void {
  const object = objectOf(name, 'zurich', positionOf(1, 1n), 7, seal(name, 'zurich', 7, over));
  put(world, site, name, {
    ...object,
    metadata: {
      ...object.metadata,
      ...(over.sampleSha256 === undefined ? {} : { 'sample-sha256': over.sampleSha256 }),
    },
  });
}

/**
 * Makes the second site's object of `e` one that the record at `from` wrote, under an older policy.
 */
function adopt(world: World, from: Position, over: { readonly policyDigest?: string } = {}): void {
  const position = positionOf(0, 4n);
  const own = objectOf('e', 'zurich', position);
  const found = objectOf(
    'e',
    'zurich',
    from,
    1,
    seal('e', 'zurich', 1, { policyDigest: OLDER, ...over }),
  );
  const other = { ...found, metadata: { ...found.metadata, 'policy-digest': OLDER } };
  put(world, 'zrh-1', 'e', own);
  put(world, 'zrh-2', 'e', other);
  settle(world, 0, {
    outcome: 'stored',
    data: {
      ...judged('e', 'zurich'),
      placements: [
        placementOf('zrh-1', 'e', own),
        {
          ...placementOf('zrh-2', 'e', other),
          adopted: { position: formatPosition(from), policyDigest: OLDER },
        },
      ],
    },
  });
}

/** Adds a second stored event; both name the existing objects. */
function storeTwice(world: World): void {
  const from = becameDuplicate(world);
  const object = objectOf('e', 'zurich', from);
  const adopted = { position: formatPosition(from), policyDigest: POLICY };
  for (const site of ['zrh-1', 'zrh-2']) put(world, site, 'e', object);
  const event = {
    outcome: 'stored',
    data: {
      ...judged('e', 'zurich'),
      placements: ['zrh-1', 'zrh-2'].map((site) => ({
        ...placementOf(site, 'e', object),
        adopted,
      })),
    },
  } as const;
  settle(world, 0, event);
  settle(world, 0, event);
}

/** A record that left its object and became the duplicate of the record that adopts it. */
function becameDuplicate(world: World): Position {
  return duplicate(world, 'e', 'zurich', positionOf(0, 4n), 1);
}

/**
 * Adds a copy that a duplicate of `a` made, in a site that the owner's policy version does not
 * name.
 */
function leaveCopy(world: World): void {
  const object = objectOf('a', 'zurich', positionOf(1, 2n), 3);
  world.sites.set('zrh-3', new Map());
  put(world, 'zrh-3', 'a', object);
  settle(world, 1, {
    outcome: 'duplicate',
    data: {
      ...judged('a', 'zurich'),
      of: 'log-1/threat.samples/0/0',
      placements: [placementOf('zrh-3', 'a', object)],
    },
  });
}

describe('a system that routers left intact', () => {
  it('has no difference, and the report counts everything', async () => {
    const report = await reconcile(depsOf(sampleWorld()));
    expect(report).toEqual({
      objects: 5,
      lost: 0,
      events: { stored: 3, duplicate: 1, refused: 1, quarantined: 1 },
      storedChecked: 3,
      owed: { total: 0, bySite: {} },
      inFlight: 0,
      opened: 5,
      alsoIn: { total: 0, list: [] },
      differences: { total: 0, list: [], byCode: {} },
    });
  });

  it("reports a message of another region under a region's own key, even if it has other faults", async () => {
    const world = sampleWorld();
    const zurich = at(world, 'zrh-1', 'a');
    put(world, 'zrh-1', 'a', { ...zurich, bytes: at(world, 'mow-1', 'b').bytes });
    const { byCode } = (await reconcile(depsOf(world))).differences;
    expect(byCode).toMatchObject({ WRONG_REGION: 1 });
    expect((byCode.CIPHERTEXT_DIFFERS ?? 0) + (byCode.SIZE_DIFFERS ?? 0)).toBe(1);
  });

  it('has no difference before the first record either', async () => {
    expect((await reconcile(depsOf(emptyWorld()))).differences.total).toBe(0);
  });

  it('opens no object unless it is asked to', async () => {
    const { open: _, ...deps } = depsOf(sampleWorld());
    expect(await reconcile(deps)).toMatchObject({
      opened: 0,
      storedChecked: 3,
      differences: { total: 0 },
    });
  });

  it('ends if an object cannot be opened now, and does not report the object', async () => {
    const away = new CodedError({ code: 'AWAY', message: 'no key service', remedy: 'retry' });
    const deps = { ...depsOf(sampleWorld()), open: () => Promise.reject(away) };
    await expect(reconcile(deps)).rejects.toBe(away);
  });

  it("does not report a site's marker", async () => {
    const world = sampleWorld();
    world.sites.get('zrh-1')?.set('residency-site.json', { bytes: Buffer.from('{}') });
    expect(await reconcile(depsOf(world))).toMatchObject({ objects: 5, differences: { total: 0 } });
  });

  it('accepts sites whose ciphertexts differ because an attempt was repeated', async () => {
    const world = emptyWorld();
    const objects = [
      objectOf('a', 'zurich', positionOf(0, 0n), 1),
      objectOf('a', 'zurich', positionOf(0, 0n), 2),
    ] as const;
    put(world, 'zrh-1', 'a', objects[0]);
    put(world, 'zrh-2', 'a', objects[1]);
    settle(world, 0, {
      outcome: 'stored',
      data: {
        ...judged('a', 'zurich'),
        placements: [placementOf('zrh-1', 'a', objects[0]), placementOf('zrh-2', 'a', objects[1])],
      },
    });
    expect((await reconcile(depsOf(world))).differences.list).toEqual([]);
  });

  it('notes an identity stored in two regions, and its duplicates in both', async () => {
    const world = sampleWorld();
    const other = store(world, 'a', 'moscow', 1);
    duplicate(world, 'a', 'moscow', other);
    duplicate(world, 'a', 'zurich', positionOf(0, 0n), 1);
    const report = await reconcile(depsOf(world));
    expect(report.differences.list).toEqual([]);
    expect(report.alsoIn).toEqual({
      total: 1,
      list: [{ submission: a.submission, position: formatPosition(other), region: 'moscow' }],
    });
  });

  it('knows the original of a duplicate that is read first', async () => {
    const world = emptyWorld();
    duplicate(world, 'a', 'zurich', positionOf(1, 0n), 0);
    store(world, 'a', 'zurich', 1);
    expect((await reconcile(depsOf(world))).differences.list).toEqual([]);
  });
});

describe('objects that a site lost and routers replaced', () => {
  it.each<[string, (world: World) => unknown]>([
    [
      'an object adopted from a record that became a duplicate, of an older policy',
      (world) => {
        adopt(world, becameDuplicate(world));
      },
    ],
    [
      'one adopted from a record behind it that is not settled yet',
      (world) => {
        adopt(world, positionOf(0, 5n));
        publish(world, 0);
      },
    ],
    [
      'a copy that a duplicate made and names',
      (world) => {
        leaveCopy(world);
      },
    ],
    [
      'duplicates that lead to a stored record over one another, wherever they stand',
      (world) => {
        duplicate(world, 'a', 'zurich', positionOf(1, 3n));
        duplicate(world, 'a', 'zurich', positionOf(1, 3n), 1);
        duplicate(world, 'a', 'zurich', positionOf(0, 0n), 1);
      },
    ],
    [
      'conflicts that lead to a stored record over one another and over duplicates',
      (world) => {
        conflict(world, 'a', 'zurich', positionOf(1, 3n));
        conflict(world, 'a', 'zurich', positionOf(1, 3n), 1, 'third');
        duplicate(world, 'a', 'zurich', positionOf(0, 0n), 1);
      },
    ],
  ])('%s is no difference, opened or not', async (_, apply) => {
    const world = sampleWorld();
    apply(world);
    const { open: _open, ...closed } = depsOf(world);
    expect([
      (await reconcile(depsOf(world))).differences.list,
      (await reconcile(closed)).differences.list,
    ]).toEqual([[], []]);
  });
});

describe('outcomes that exclude one another', () => {
  it('are two stored events of an identity in one region, whatever the sites hold', async () => {
    const world = sampleWorld();
    store(world, 'a', 'zurich', 1);
    const { differences } = await reconcile(depsOf(world));
    expect(differences.list).toContainEqual(
      expect.objectContaining({
        code: 'STORED_TWICE',
        submission: submissionOf('a'),
        position: 'log-1/threat.samples/1/2',
      }),
    );
    expect(differences.byCode).toMatchObject({ STORED_TWICE: 1, METADATA_DIFFERS: 2 });
  });

  it('are duplicates of each other', async () => {
    const world = sampleWorld();
    duplicate(world, 'e', 'zurich', positionOf(0, 5n));
    duplicate(world, 'e', 'zurich', positionOf(0, 4n));
    expect((await reconcile(depsOf(world))).differences.byCode).toEqual({
      DUPLICATE_OF_UNKNOWN: 2,
    });
  });
});

describe('one manipulation, one difference', () => {
  it.each(manipulations)('$title: $code', async ({ code, where, apply, deps = (same) => same }) => {
    const world = sampleWorld();
    apply(world);
    const { differences, inFlight } = await reconcile(deps(depsOf(world)));
    expect(differences).toMatchObject({
      total: 1,
      byCode: { [code]: 1 },
      list: [{ code, ...where }],
    });
    expect(inFlight).toBe(0);
  });

  it('every code has a manipulation that causes it', () => {
    expect([...new Set(manipulations.map(({ code }) => code))].toSorted()).toEqual(
      [...DIFFERENCE_CODES].toSorted(),
    );
  });

  it.each(manipulations)(
    '$title: the report repeats nothing of a sample, a consent or a foreign error',
    async ({ apply, deps = (same) => same }) => {
      const world = sampleWorld();
      apply(world);
      expect(JSON.stringify(await reconcile(deps(depsOf(world))))).not.toMatch(
        /sample [a-z]\b|consent-000|stolen|elsewhere/,
      );
    },
  );
});

describe('records in flight', () => {
  it('have objects that are counted and not reported, in any partition of the log', async () => {
    const world = sampleWorld();
    world.committed.set(partitionName(2), -1n);
    publish(world, 0);
    publish(world, 1, 9n);
    publish(world, 2);
    put(world, 'zrh-1', 'x', objectOf('x', 'zurich', positionOf(0, 4n)));
    put(world, 'mow-1', 'y', objectOf('y', 'moscow', positionOf(1, 9n)));
    put(world, 'mow-1', 'z', objectOf('z', 'moscow', positionOf(2, 0n)));
    put(world, 'mow-1', 'a', objectOf('a', 'moscow', positionOf(1, 10n)));
    expect(await reconcile(depsOf(world))).toMatchObject({
      inFlight: 4,
      differences: { total: 0 },
    });
  });

  it('may be the original of a duplicate, and the owner of a conflict', async () => {
    const world = sampleWorld();
    publish(world, 1);
    put(world, 'zrh-1', 'x', objectOf('x', 'zurich', positionOf(1, 2n)));
    duplicate(world, 'x', 'zurich', positionOf(1, 2n));
    conflict(world, 'x', 'zurich', positionOf(1, 2n));
    expect(await reconcile(depsOf(world))).toMatchObject({
      inFlight: 1,
      differences: { total: 0 },
    });
  });
});

describe('the run', () => {
  it('reads each object once, within the limits on concurrency', async () => {
    const world = emptyWorld();
    for (let i = 0; i < 50; i += 1) store(world, `s${i}`, 'zurich', i % 2);
    let reading = 0;
    let most = 0;
    const reads = new Map<string, number>();
    const deps = depsOf(world);
    const sites = deps.sites.map((reader) => ({
      ...reader,
      read: async (key: string) => {
        const name = `${reader.site} ${key}`;
        reads.set(name, (reads.get(name) ?? 0) + 1);
        most = Math.max(most, (reading += 1));
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        reading -= 1;
        return await reader.read(key);
      },
    }));
    await reconcile({ ...deps, sites }, { concurrency: 7 });
    expect(most).toBe(7);
    expect([...new Set(reads.values())]).toEqual([1]);
    expect(reads.size).toBe(100);
    most = 0;
    const size = seal('s00', 'zurich').length;
    await reconcile({ ...deps, sites }, { concurrency: 7, bytesInWork: 3 * size });
    expect(most).toBe(3);
  });

  it('counts every difference and lists the first', async () => {
    const world = sampleWorld();
    for (const site of world.sites.values()) site.clear();
    const { differences } = await reconcile(depsOf(world), { maxListed: 2 });
    expect(differences.total).toBe(5);
    expect(differences.list).toHaveLength(2);
    expect(differences.byCode).toEqual({ OBJECT_MISSING: 5 });
  });

  it('reports its progress', async () => {
    const seen: [number, number | undefined][] = [];
    await reconcile(depsOf(sampleWorld()), {
      onProgress: (done, total) => {
        seen.push([done, total]);
      },
    });
    expect(seen).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => [n, undefined]),
      ...[1, 2, 3, 4, 5].map((n) => [n, 5]),
    ]);
  });

  it.each(['zrh-2', 'mow-1'])(
    'rejects if %s cannot be read, and returns no half report',
    async (site) => {
      const deps = depsOf(sampleWorld());
      const down = new Error('The site is down.');
      const sites = deps.sites.map((reader) =>
        reader.site === site ? { ...reader, read: () => Promise.reject(down) } : reader,
      );
      await expect(reconcile({ ...deps, sites })).rejects.toBe(down);
    },
  );

  it('rejects if a site cannot be listed or the trail cannot be read', async () => {
    const deps = depsOf(sampleWorld());
    const down = new Error('It is down.');
    const failing = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(down) }),
    });
    await expect(
      reconcile({ ...deps, sites: deps.sites.map((reader) => ({ ...reader, list: failing })) }),
    ).rejects.toBe(down);
    await expect(reconcile({ ...deps, trail: { ...deps.trail, events: failing } })).rejects.toBe(
      down,
    );
    await expect(
      reconcile({ ...deps, trail: { ...deps.trail, committed: () => Promise.reject(down) } }),
    ).rejects.toBe(down);
  });
});

function opening(deps: ReconcileDeps): NonNullable<ReconcileDeps['open']> {
  if (deps.open === undefined) throw new Error('The test world opens.');
  return deps.open;
}

function putInFlight(world: World, bytes: Buffer): void {
  publish(world, 0);
  put(world, 'mow-1', 'x', objectOf('x', 'moscow', positionOf(0, 4n), 0, bytes));
}

/** An object whose sealed context alone differs. */
function storeSealed(world: World, bytes: Buffer): void {
  const object = objectOf('e', 'moscow', positionOf(0, 4n), 0, bytes);
  put(world, 'mow-1', 'e', object);
  settle(world, 0, {
    outcome: 'stored',
    data: { ...judged('e', 'moscow'), placements: [placementOf('mow-1', 'e', object)] },
  });
}

function editPlacements(
  world: World,
  edit: (placements: ReturnType<typeof placementOf>[]) => ReturnType<typeof placementOf>[],
): void {
  editFirst(world, (data) => ({ ...data, placements: edit(data.placements) }));
}
