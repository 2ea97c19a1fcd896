/** One defect put into production code, as a text in the place of another. */
export interface Mutant {
  readonly name: string;
  /** What the code forgets to do, or does wrongly. */
  readonly defect: string;
  /** Arguments of the command, where the fault that shows it is not among the usual ones. */
  readonly faults?: readonly string[];
  /**
   * The first seed from 1 whose world shows it. After a change of the code or of the simulation
   * another may be the first: the test then searches from 1, and prints it.
   */
  readonly seed?: number;
  /** The kept plan that shows it, where drawn worlds need too long. */
  readonly plan?: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

const KAFKA = 'packages/adapter-kafka/src';
const LOG = `${KAFKA}/submission-log`;
const CUSTODY = 'packages/custodianship/src';

/**
 * Defects of the kinds that reviews and public bug reports name; the simulation must find each of
 * them.
 */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'margin-0',
    seed: 40,
    defect: "brokers' clocks are taken to agree",
    edits: [
      {
        file: 'packages/routing/src/views.ts',
        from: 'at + deps.watermarkMarginMs < watermark',
        to: 'at < watermark',
      },
    ],
  },
  {
    name: 'views-not-awaited',
    seed: 2,
    defect: 'a record is decided by views that do not reach its time',
    edits: [
      {
        file: 'packages/routing/src/views.ts',
        from: 'at + deps.watermarkMarginMs < watermark',
        to: 'at > 0',
      },
    ],
  },
  {
    name: 'no-fence',
    seed: 45,
    defect:
      'each owner of a partition has a transactional id of its own, and nobody asks the group before a commit',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'await this.#deps.flow.heartbeat();',
        to: 'await Promise.resolve();',
      },
      {
        file: `${LOG}/producer-plan.ts`,
        from: 'transactionalId: `${group}-${TOPICS.samples}-${partition}`',
        to: 'transactionalId: `${group}-${TOPICS.samples}-${partition}-${Math.random()}`',
      },
    ],
  },
  {
    name: 'unknown-is-committed',
    seed: 70,
    defect: 'a commit without an answer is taken for one that succeeded',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'throw withheld ? error.reason : error;',
        to: 'if (withheld) throw error.reason;',
      },
    ],
  },
  {
    name: 'unknown-is-aborted',
    seed: 5,
    defect: 'a commit without an answer is tried again from memory, without a look at the log',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'this.#previous = settled;',
        to: 'this.#previous = this.#unsure === undefined ? settled : this.#unsure.before; if (this.#unsure !== undefined) next = (this.#previous ?? -1n) + 1n;',
      },
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'this.#previous = last;',
        to: 'const before = this.#previous; this.#previous = last;',
      },
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'this.#unsure = { last, result };',
        to: 'this.#unsure = { last, result, before };',
      },
    ],
  },
  {
    name: 'next-batch-overtakes',
    seed: 20,
    defect: 'a batch is settled without waiting for the commit of the one before it',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'const result = await routed(route, batch);',
        to: 'const result = await routed(route, batch); this.#commit = undefined;',
      },
    ],
  },
  {
    name: 'commit-without-heartbeat',
    seed: 124,
    defect: 'a batch is committed without asking the group',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'await this.#deps.flow.heartbeat();',
        to: 'await Promise.resolve();',
      },
    ],
  },
  {
    name: 'offsets-decide',
    seed: 6,
    defect: "the group's position decides, and the log's start where it is gone",
    edits: [
      {
        file: `${LOG}/progress.ts`,
        from: 'const none =',
        to: 'if (committed === undefined) return { settled: null, next: start };\n  const none =',
      },
    ],
  },
  {
    name: 'no-sweep',
    seed: 18,
    defect: 'what a broker left undecided is committed with the next batch',
    faults: ['--faults', 'kill,freeze,rebalance,markers-lost'],
    edits: [
      {
        file: `${LOG}/take-over.ts`,
        from: 'const pointers = await isUndecided(reads, TOPICS.quarantine, target(TOPICS.quarantine));',
        to: 'return;',
      },
    ],
  },
  {
    name: 'aborted-events-unread',
    seed: 356,
    defect: 'a position is taken for ahead although a broker forgot to commit the events up to it',
    faults: ['--faults', 'kill,freeze,rebalance,markers-lost,weather'],
    edits: [
      {
        file: `${LOG}/progress.ts`,
        from: 'if (last + 1n === committed) return true;',
        to: '',
      },
    ],
  },
  {
    name: 'pointers-aborted',
    seed: 33,
    defect: 'quarantine pointers of committed events are aborted',
    faults: ['--faults', 'kill,freeze,rebalance,markers-lost'],
    edits: [
      {
        file: `${LOG}/take-over.ts`,
        from: 'last !== null && pointer.about <= last',
        to: 'last === undefined',
      },
    ],
  },
  {
    name: 'rest-forgotten',
    seed: 1,
    defect: 'what was taken and not settled is not given back',
    edits: [
      {
        file: `${LOG}/partition-worker.ts`,
        from: 'this.#inbox.putBack(records.slice(result.settlements.length));',
        to: '',
      },
    ],
  },
  {
    name: 'no-pointers',
    seed: 1,
    defect: 'quarantine pointers are not part of the transaction',
    edits: [
      {
        file: `${LOG}/pack-settlement.ts`,
        from: '...sendsOf(TOPICS.quarantine, pointers)',
        to: '...sendsOf(TOPICS.quarantine, pointers.slice(1))',
      },
    ],
  },
  {
    name: 'aborted-are-read',
    seed: 2,
    defect: 'readers are given records of aborted transactions',
    edits: [
      {
        file: `${KAFKA}/kafkajs/withhold-aborted.ts`,
        from: 'if (!abortedTransactions?.length) return [...messages];',
        to: 'return [...messages];',
      },
    ],
  },
  {
    name: 'redis-never-empties',
    seed: 1,
    defect: 'a projection that went back is not made good from the log',
    edits: [
      {
        file: 'services/consent-projector/src/project.ts',
        from: "return 'further back';\n    }",
        to: '}',
      },
    ],
  },
  {
    name: 'no-flush',
    seed: 10,
    defect: 'a batch is settled before its objects are durable',
    edits: [
      {
        file: 'packages/routing/src/router.ts',
        from: 'await store.flush({ owable: !needed.has(store) });',
        to: 'await Promise.resolve();',
      },
    ],
  },
  {
    name: 'marker-not-read',
    seed: 4,
    defect: 'a site is entered without a look at its marker',
    edits: [
      {
        file: 'packages/adapter-s3/src/site-marker.ts',
        from: 'if (found.region !== region || found.site !== site)',
        to: 'if (Math.random() < 0)',
      },
    ],
  },
  {
    name: 'exists-is-created',
    seed: 145,
    defect: "an object that stands there already is taken for one's own",
    edits: [
      {
        file: 'packages/adapter-s3/src/create-only.ts',
        from: 'if (standing !== undefined) return { created: false, head: standing };',
        to: 'if (standing !== undefined) return { created: true };',
      },
      {
        file: 'packages/adapter-s3/src/create-only.ts',
        from: "if (result.put === 'created')",
        to: "if (result.put !== 'conflict')",
      },
    ],
  },
  {
    name: 'conflict-is-created',
    seed: 16,
    defect: 'a store that can not tell yet (409) is taken for one that created',
    edits: [
      {
        file: 'packages/adapter-s3/src/create-only.ts',
        from: "if (result.put === 'conflict') continue;",
        to: "if (result.put === 'conflict') return { created: true };",
      },
    ],
  },
  {
    name: 'previous-stands-still',
    seed: 1,
    defect: 'events of one batch name the same previous offset',
    edits: [
      { file: 'packages/routing/src/assemble-result.ts', from: '    previous = offset;\n', to: '' },
    ],
  },
  {
    name: 'leaf-twice',
    seed: 2,
    defect: "an auditor that begins anew appends the ledger's last leaf again",
    edits: [
      {
        file: 'packages/auditing/src/growing/new-leaves.ts',
        from: 'if (found && last + 1 < leaves.length) yield leaves.slice(last + 1);',
        to: 'if (found) yield leaves.slice(last);',
      },
    ],
  },
  {
    name: 'consent-of-now',
    seed: 2,
    defect: "the last consent counts, not that of the record's time",
    edits: [
      {
        file: 'packages/routing/src/judge.ts',
        from: 'gate(history, at)',
        to: 'gate(history, Number.MAX_SAFE_INTEGER)',
      },
    ],
  },
  {
    name: 'newest-policy',
    seed: 8,
    defect: 'a policy is in force from its publication on',
    edits: [
      {
        file: 'packages/routing/src/views.ts',
        from: 'policyInForce(policies.versions, at)',
        to: 'policyInForce(policies.versions, at + 3_000)',
      },
    ],
  },
  {
    name: 'positions-only',
    seed: 26,
    defect: "an object of the record's own position is believed, whatever it holds",
    faults: ['--faults', 'kill,log-cut', '--policies', ''],
    edits: [
      {
        file: 'packages/routing/src/placing-errors.ts',
        from: 'if (names.length > 0)',
        to: 'if (names.length > 9)',
      },
    ],
  },
  {
    name: 'duplicate-before-look-up',
    seed: 17,
    defect: "another record's object makes a duplicate, whatever became of that record",
    faults: [
      '--faults',
      'kill,weather,site-refuses,object-lost,site-older,commit-fails',
      '--policies',
      '',
    ],
    edits: [
      {
        file: 'packages/routing/src/fate.ts',
        from: 'let owner = first;',
        to: "let owner = first;\n  if (owner.of !== claim.metadata.position) return { kind: 'stored', owner };",
      },
    ],
  },
  {
    name: 'other-bytes',
    seed: 1,
    defect: "what is sealed is not the record's sample",
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: 'deps.sealer.seal(sample, {',
        to: 'deps.sealer.seal(sample.subarray(1), {',
      },
    ],
  },
  {
    name: 'attempts-digest',
    seed: 7,
    defect: 'an event names the digest of what its last attempt sealed, not of what stands there',
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: 'placements.push(placement(site, key, head));',
        to: 'placements.push(placement(site, key, { ...head, metadata }));',
      },
    ],
  },
  {
    name: 'owner-in-one-site',
    defect: 'a duplicate names a record whose object is not in every site yet',
    plan: 'the-first-site-damages-an-object-before-the-second-one-has-it',
    edits: [
      {
        file: 'packages/routing/src/identity.ts',
        from: "if (kind === 'unsettled' && !(direct && isSettleable(claim, later.length, away)))",
        to: "if (kind === 'unsettled' && later.length > 9)",
      },
    ],
  },
  {
    name: 'event-before-copy',
    seed: 9,
    defect: 'a custodian appends the event without waiting for its copy',
    edits: [
      {
        file: `${CUSTODY}/copy-sample.ts`,
        from: 'const created = await target.create(copy);',
        to: 'void target.create(copy).catch(() => undefined); if (copy.key !== "") return made(source.site, source.metadata, undefined);\n  const created = await target.create(copy);',
      },
    ],
  },
  {
    name: 'nothing-set-aside',
    seed: 30,
    defect: 'a custodian replaces what has the key without keeping it',
    edits: [
      {
        file: `${CUSTODY}/copy-sample.ts`,
        from: 'const setAside = await target.setAside(holding.submission, found);',
        to: 'const setAside = undefined;',
      },
    ],
  },
  {
    name: 'custodian-no-fence',
    seed: 81,
    defect:
      'each owner of a custody log has a transactional id of its own, and appends after the group revoked it',
    edits: [
      {
        file: `${KAFKA}/custody-log/kafka-custody-log.ts`,
        from: 'transactionalId: custodianGroup(topicPrefix, region),',
        to: 'transactionalId: `${custodianGroup(topicPrefix, region)}-${Math.random()}`,',
      },
      {
        file: `${KAFKA}/custody-log/kafka-custodian.ts`,
        from: 'if (signal.aborted) throw ownershipUnsure(0);',
        to: '',
      },
    ],
  },
  {
    name: 'away-is-paid',
    seed: 130,
    defect: 'a custodian strikes the debts of a site that does not answer',
    edits: [
      {
        file: `${CUSTODY}/payments.ts`,
        from: 'const error = site === undefined ? away',
        to: 'for (const p of site === undefined ? await this.#deps.samples.partitions() : []) for (let at = this.#debts.first(name, p); at !== undefined; at = this.#debts.first(name, p)) this.#debts.paid(name, p, at);\n    const error = site === undefined ? away',
      },
    ],
  },
  {
    name: 'skipped-is-not-owed',
    seed: 14,
    defect: 'an event does not say which site was skipped',
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: '...defined({ owed: debts.sites, arbiter: metadata.arbiter }),',
        to: '...defined({ arbiter: metadata.arbiter }),',
      },
    ],
  },
  {
    name: 'arbiter-is-owed',
    seed: 88,
    defect: 'a sample is stored without the first site if that one is away',
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: 'owable: !first && mayOwe(settleWith, stores),',
        to: 'owable: mayOwe(settleWith, stores),',
      },
    ],
  },
  {
    name: 'named-though-it-answers',
    plan: 'the-only-copy-is-damaged-while-a-duplicate-waits-for-the-later-site',
    defect: 'a duplicate names an unsettled owner although the later site answers and lacks it',
    edits: [
      {
        file: 'packages/routing/src/identity.ts',
        from: "if (kind === 'unsettled' && !(direct && isSettleable(claim, later.length, away)))",
        to: "if (kind === 'unsettled' && !mayOwe(claim.settleWith, claim.stores) && later.length < claim.stores.length - 1)",
      },
    ],
  },
  {
    name: 'stored-stranger-replaced',
    plan: 'a-site-loses-a-stored-sample-while-the-later-one-is-away',
    defect: 'a custodian replaces the object of another stored sample',
    edits: [
      {
        file: `${CUSTODY}/copy-sample.ts`,
        from: "? 'STORED_TWICE'",
        to: '? undefined',
      },
    ],
  },
  {
    name: 'conflict-names-nobody',
    seed: 2,
    defect: 'the event of a conflict does not say whose identity it met',
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: '{ ...judged, of, owner },',
        to: 'of === "" ? { ...judged, of, owner } : judged,',
      },
    ],
  },
  {
    name: 'conflict-names-itself',
    seed: 2,
    defect: "the event of a conflict gives the owner the record's own sample",
    edits: [
      {
        file: 'packages/routing/src/place.ts',
        from: '{ ...judged, of, owner },',
        to: '{ ...judged, of, owner: { ...owner, sampleSha256: judged.sampleSha256 } },',
      },
    ],
  },
  {
    name: 'claims-of-conflicts-left-out',
    plan: 'the-arbiter-burns-with-the-only-object-of-an-owner-that-only-a-conflict-names',
    defect: 'the next arbiter knows of no owner that only a conflict names',
    edits: [
      {
        file: `${CUSTODY}/unsettled-owners.ts`,
        from: 'const owner = namedOwner(event);',
        to: "const owner = event.outcome === 'duplicate' ? namedOwner(event) : undefined;",
      },
    ],
  },
  {
    name: 'claims-left-out',
    seed: 2,
    defect: 'the next arbiter knows of no identity that it lacks',
    faults: ['--site-out'],
    edits: [
      {
        file: `${CUSTODY}/find-claims.ts`,
        from: 'claims: [...fold.owners.all, ...lacked.flatMap(({ claims }) => claims)],',
        to: 'claims: [],',
      },
    ],
  },
  {
    name: 'claims-only-of-what-the-register-does-not-have',
    seed: 52,
    defect: 'a change of the arbiter forgets what the register of a custodian says',
    faults: ['--site-out'],
    edits: [
      {
        file: `${CUSTODY}/find-claims.ts`,
        from: 'const saved = about?.register ?? { sites: [next] };',
        to: 'const saved = { sites: [next] };',
      },
    ],
  },
  {
    name: 'the-arbiter-changes-without-a-fence',
    seed: 122,
    defect: 'routers settle what they decided under the former arbiter',
    faults: ['--site-out'],
    edits: [
      {
        file: `${CUSTODY}/change-arbiter.ts`,
        from: '    await fence();',
        to: '',
      },
    ],
  },
  {
    name: 'tombstone-only-at-the-arbiter',
    seed: 1,
    defect: 'an event says that every site has the tombstone, and only the arbiter has it',
    faults: ['--erase'],
    edits: [
      {
        file: `${CUSTODY}/erasures.ts`,
        from: 'for (const [index, name] of sites.entries()) {',
        to: 'for (const [index, name] of sites.slice(0, 1).entries()) {',
      },
      {
        file: `${CUSTODY}/erasures.ts`,
        from: 'done.set(debt, [...(done.get(debt) ?? []), site]);',
        to: 'done.set(debt, sites.map((one) => ({ ...site, site: one })));',
      },
    ],
  },
  {
    name: 'set-aside-not-reserved',
    defect: 'a custodian that read other bytes before the erasure may keep them aside afterwards',
    plan: 'a-custodian-that-froze-before-it-set-aside-wakes-after-the-erasure',
    edits: [
      {
        file: `${CUSTODY}/erase-sample.ts`,
        from: 'await site.purge(tombstone, submission, [sha256(bytes)]);',
        to: 'await Promise.resolve(bytes);',
      },
    ],
  },
  {
    name: 'tombstone-not-owed-after-a-take-over',
    seed: 14,
    defect: 'a custodian whose commit was not answered forgets the sites that lack a tombstone',
    faults: ['--erase'],
    edits: [{ file: `${CUSTODY}/erasures.ts`, from: 'this.#deps.passed(debt);', to: '' }],
  },
  {
    name: 'tombstone-is-an-object',
    seed: 2,
    defect: "a router takes a tombstone for its record's own object, or for another record's",
    faults: ['--erase'],
    edits: [{ file: 'packages/routing/src/place.ts', from: 'erasedBy(head) ??', to: '' }],
  },
];
