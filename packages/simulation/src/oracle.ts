import { decodeKafka } from '@residency/cloudevents';
import { evolve, gate } from '@residency/consent';
import type { ConsentHistory } from '@residency/consent';
import {
  OBJECT_PREFIX,
  TOPICS,
  decodeAuditEvent,
  decodeQuarantinePointer,
  formatPosition,
  objectKey,
  parsePosition,
  readConsentRecord,
  readPolicyRecord,
  readSubmission,
  sha256,
} from '@residency/contracts';
import type { AuditEvent, LogRecord, Placement, StoredEvent } from '@residency/contracts';
import { leafOf } from '@residency/auditing';
import { EMPTY_RANGE, appendHashes, leafHash, rootOf } from '@residency/ledger';
import type { CompactRange } from '@residency/ledger';
import { decide, policyInForce } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { remedyOf } from '@residency/coded-error';
import { CustodyOracle } from './custody-oracle.ts';
import type { PartitionLog, Stored } from './kafka/partition-log.ts';
import { CUSTODY_REGION, LOG, REGION_OF } from './names.ts';
import { nameOf, placedName, readSealed } from './object-name.ts';
import type { Sealed } from './object-name.ts';
import type { Put, SimObject } from './s3/bucket.ts';
import type { Surroundings } from './surroundings.ts';

export interface Violation {
  readonly invariant: string;
  readonly found: string;
  /** Virtual milliseconds. */
  readonly at: number;
}

/**
 * What the pure function of the logs says of a record: its outcome, or the region where it must be
 * placed.
 */
type Expected =
  | { readonly outcome: 'refused' | 'quarantined'; readonly reason: string }
  | {
      readonly outcome: 'placed';
      readonly region: string;
      readonly policy: string;
      readonly submission: string;
      readonly country: string;
      readonly sampleSha256: string;
    };

type Quarantined = Extract<AuditEvent, { outcome: 'quarantined' }>;

interface Placed {
  readonly position: string;
  readonly region: string;
  readonly placements: readonly Placement[];
}

/**
 * From a later site's missing answer to the event of a duplicate that was named without it, virtual
 * milliseconds: the world freezes a router in its commit for at most ten seconds.
 */
const NAMED_WITHIN_MS = 15_000;

interface AuditState {
  cursor: number;
  readonly roots: string[];
  range: CompactRange;
  previous: string | null;
}

/**
 * Sees everything that happens and judges it by the whole logs, with the pure functions of the
 * domain and nothing that reads through views, sessions or caches. It is told of each append, each
 * end of a transaction and each object, so a broken promise is seen in the step that breaks it.
 */
export class Oracle {
  readonly #world: Surroundings;
  /** Of each intake partition and offset, all records that ever stood there. */
  readonly #intake = new Map<string, Stored[]>();
  readonly #consents = new Map<
    string,
    { readonly event: NonNullable<ReturnType<typeof readConsentRecord>>; readonly at: number }[]
  >();
  readonly #policies: PolicyPublished[] = [];
  readonly #audits = new Map<number, AuditState>();
  readonly #events = new Map<string, AuditEvent>();
  /** `<submission>/<region>` to where it was stored. */
  readonly #stored = new Map<string, Placed>();
  /** Each pointer's bytes, as often as it is there. */
  readonly #pointers = new Map<string, readonly string[]>();
  #pointersRead = 0;
  /** By `objectName`: objects that the world took away or damaged, and nobody put again. */
  readonly #taken = new Set<string>();
  /** By `objectName`: copies that an operator put into a site. */
  readonly #copies = new Set<string>();
  /** Of records that ended as conflicts: the sites from which the world took their object. */
  readonly #takenFrom = new Map<string, ReadonlySet<string>>();
  /** When a site last did not answer a router that may leave it out. */
  readonly #unansweredAt = new Map<string, number>();
  /** By position: sites that did not answer when an event that names that record was settled. */
  readonly #namedWithout = new Map<string, Set<string>>();
  /** Records that came after their identity was erased in every site. */
  readonly #late = new Set<Stored>();
  readonly #custody: CustodyOracle;
  /** `<partition>/<offset>`: where the intake log was cut. */
  readonly cut = new Set<string>();
  /**
   * A broker forgot a marker. Until the next take-over pointers may be undecided; afterwards the same
   * pointer may be there twice.
   */
  #markersForgotten = false;

  constructor(world: Surroundings) {
    this.#world = world;
    const { kafka } = world;
    this.#custody = new CustodyOracle({ world, policies: this.#policies, taken: this.#taken });
    for (const log of kafka.partitionsOf(TOPICS.samples))
      log.onAppend = (stored) => {
        this.#appended(log, stored);
      };
    for (const log of kafka.partitionsOf(TOPICS.consents))
      log.onAppend = (stored) => {
        this.#consent(log, stored);
      };
    for (const log of kafka.partitionsOf(TOPICS.policy))
      log.onAppend = (stored) => {
        this.#policy(stored);
      };
    for (const log of kafka.partitionsOf(TOPICS.audit)) {
      this.#audits.set(log.partition, {
        cursor: 0,
        roots: [Buffer.from(rootOf(EMPTY_RANGE)).toString('base64')],
        range: EMPTY_RANGE,
        previous: null,
      });
      log.onChanged = () => {
        this.#readAudit(log);
      };
    }
  }

  get events(): ReadonlyMap<string, AuditEvent> {
    return this.#events;
  }

  get policies(): readonly PolicyPublished[] {
    return this.#policies;
  }

  /** The world is about to take an object away, or to damage it. */
  taken(site: string, key: string): void {
    const object = this.#world.bucket(site).objects.get(key);
    if (object !== undefined) this.#taken.add(nameOf(site, key, object));
  }

  /** An operator is about to put a copy of another site's object in the place of what is there. */
  copied(site: string, key: string, object: SimObject): void {
    this.taken(site, key);
    this.#taken.delete(nameOf(site, key, object));
    this.#copies.add(nameOf(site, key, object));
  }

  markerLost(log: PartitionLog | undefined): void {
    if (log !== undefined) this.#markersForgotten = true;
  }

  unanswered(site: string): void {
    this.#unansweredAt.set(site, this.#world.scheduler.now);
  }

  /** An object came to stand in a bucket. */
  put(bucket: string, key: string, object: SimObject, { by, before }: Put): void {
    const { bytes, metadata } = object;
    if (bucket === 'ledger') {
      const [, partition] = /^(\d+)\/checkpoint$/.exec(key) ?? [];
      if (partition !== undefined) this.#checkpoint(Number(partition), bytes);
      return;
    }
    if (by?.startsWith('custodian') === true) this.#custody.put(bucket, key, object, before);
    this.#custody.cameBack(bucket, key, object, by);
    if (!key.startsWith(OBJECT_PREFIX)) return;
    this.#taken.delete(nameOf(bucket, key, object));
    if (metadata.erased !== undefined) {
      this.#custody.tombstone(bucket, key, object, by);
      return;
    }
    const sealed = readSealed(bytes);
    if (sealed.region !== REGION_OF[bucket])
      this.#world.violated(
        'only there',
        `an object sealed to ${sealed.region} was written to ${bucket}`,
      );
    const { offset, partition } = parsePosition(metadata.position ?? '');
    const lawful = (this.#intake.get(`${partition}/${offset}`) ?? [])
      .map((record) => this.#expected(record))
      .filter((expected) => expected.outcome === 'placed' && expected.region === sealed.region);
    if (lawful.length === 0)
      this.#world.violated(
        'nothing before permission',
        `${metadata.position} was written to ${bucket}, and no record there may be placed in ${sealed.region}`,
      );
    else if (!lawful.some((expected) => holds(sealed, expected)))
      this.#world.violated(
        'an object holds its record',
        `${metadata.position} was written to ${bucket} with another sample`,
      );
  }

  /** What is wrong once nothing more happens. */
  quiet(): void {
    this.#readPointers();
    for (const log of this.#world.kafka.partitionsOf(TOPICS.samples)) this.#assertSettled(log);
    for (const [position, event] of this.#events) this.#assertQuiet(position, event);
    this.#assertClaimed();
    this.#custody.quiet();
    for (const [partition, { roots }] of this.#audits)
      this.#assertLedger(partition, roots.length - 1);
  }

  /**
   * Whether every record for readers has its event, every event its leaf under a checkpoint, and
   * every pointer its marker.
   */
  get settled(): boolean {
    return (
      this.#world.kafka
        .partitionsOf(TOPICS.samples)
        .every((log) => this.#unsettled(log) === undefined) &&
      [...this.#audits].every(
        ([partition, { roots }]) => this.#ledgerSize(partition) === roots.length - 1,
      ) &&
      (this.#markersForgotten || !this.#pointersUndecided) &&
      this.#custody.settled
    );
  }

  get #pointersUndecided(): boolean {
    return this.#world.kafka
      .partitionsOf(TOPICS.quarantine)
      .some(({ lastStable, end }) => lastStable < end);
  }

  #appended(log: PartitionLog, stored: Stored): void {
    const place = `${log.partition}/${stored.offset}`;
    const expected = this.#world.plan.erases === true ? this.#submissionOf(stored) : undefined;
    if (expected !== undefined && this.#custody.isErased(expected)) this.#late.add(stored);
    this.#intake.set(place, [...(this.#intake.get(place) ?? []), stored]);
  }

  #submissionOf(record: Stored): string | undefined {
    try {
      const read = readSubmission(decodeKafka(record));
      return 'reason' in read ? undefined : read.submission;
    } catch (error) {
      if (remedyOf(error) !== 'park') throw error;
      return undefined;
    }
  }

  #consent(log: PartitionLog, stored: Stored): void {
    try {
      const event = readConsentRecord(recordOf(log, stored));
      if (event === undefined) return;
      this.#consents.set(event.consentId, [
        ...(this.#consents.get(event.consentId) ?? []),
        { event, at: stored.at },
      ]);
    } catch (error) {
      if (remedyOf(error) !== 'park') throw error;
    }
  }

  #policy(stored: Stored): void {
    const version = readPolicyRecord(stored);
    if (version !== undefined) this.#policies.push(version);
  }

  #readAudit(log: PartitionLog): void {
    const state = this.#audits.get(log.partition);
    if (state === undefined) return;
    for (; state.cursor < log.lastStable; state.cursor += 1) {
      const stored = log.at(state.cursor);
      if (stored === undefined || !log.visible(stored)) continue;
      state.range = appendHashes(state.range, [leafHash(leafOf(stored.value))]);
      state.roots.push(Buffer.from(rootOf(state.range)).toString('base64'));
      this.#audited(log.partition, state, decodeAuditEvent(stored.value ?? Buffer.alloc(0)));
    }
  }

  #audited(partition: number, state: AuditState, event: AuditEvent): void {
    const { position, data } = event;
    const place = formatPosition(position);
    const offset = position.offset.toString();
    this.#world.outcomes.count(
      event.outcome === 'quarantined' || event.outcome === 'refused'
        ? `${event.outcome} ${event.data.reason}`
        : event.outcome,
    );
    this.#world.narrate(this.#world.scheduler.now, 'audit log', described(event));
    if (position.partition !== partition || position.log !== LOG)
      this.#world.violated(
        'an event stands in its partition',
        `${place} in partition ${partition}`,
      );
    if (this.#events.has(place))
      this.#world.violated('one outcome each', `a second event about ${place}`);
    this.#events.set(place, event);
    if (data.previous !== state.previous)
      this.#world.violated(
        'previous without hole or repeat',
        `${place} names ${data.previous}, the last one is ${state.previous}`,
      );
    this.#assertNoneBetween(partition, state.previous, Number(offset));
    state.previous = offset;
    const record = (this.#intake.get(`${partition}/${offset}`) ?? []).find(
      ({ at }) => at === event.at,
    );
    if (record === undefined)
      this.#world.violated(
        'an event is about a record',
        `no record was appended at ${event.at} as ${place}`,
      );
    else this.#compare(place, event, this.#expected(record), this.#late.has(record));
    if (event.outcome === 'stored') this.#once(place, event);
    if (event.outcome === 'stored') this.#custody.stored(event);
    if (event.outcome === 'quarantined') {
      this.#takenFrom.set(place, this.#ownTakenFrom(place, event));
      if (event.data.reason === 'IDENTITY_CONFLICT') this.#conflict(place, event);
    }
    if ('of' in event.data && event.data.of !== undefined) this.#named(event.data.of);
  }

  #assertNoneBetween(partition: number, previous: string | null, offset: number): void {
    const log = this.#world.kafka.log(TOPICS.samples, partition);
    for (
      let between = Math.max(log.start, Number(previous ?? -1) + 1);
      between < offset;
      between += 1
    ) {
      const stored = log.at(between);
      if (stored === undefined || !log.visible(stored)) continue;
      if (this.cut.has(`${partition}/${between}`))
        this.#world.outcomes.count('a cut that nobody saw');
      else this.#world.violated('one outcome each', `${partition}/${between} was passed over`);
    }
  }

  #compare(place: string, event: AuditEvent, expected: Expected, isLate: boolean): void {
    const says =
      event.outcome === 'refused' || event.outcome === 'quarantined'
        ? `${event.outcome} ${event.data.reason}`
        : event.outcome;
    if (expected.outcome !== 'placed') {
      if (says !== `${expected.outcome} ${expected.reason}`)
        this.#world.violated(
          'same record, same decision',
          `${place} is ${says}; the logs say ${expected.outcome} ${expected.reason}`,
        );
      return;
    }
    if (event.outcome === 'refused' && event.data.erasure !== undefined) {
      const { region } = event.data.erasure;
      if (
        region !== expected.region ||
        !this.#stored.has(`${expected.submission}/${region}`) ||
        !this.#custody.isOrderAbout(expected.submission, event.data.erasure.order)
      )
        this.#world.violated(
          'only what is ordered is erased',
          `${place} is refused as erased in ${region}, where nothing of it is erased`,
        );
      return;
    }
    // The tombstones were there before the record.
    if (isLate && expected.region === CUSTODY_REGION && this.#custody.isErased(expected.submission))
      this.#world.violated(
        'an erased identity is refused',
        `${place} is ${says}, and its identity was erased before it came`,
      );
    if (
      event.outcome === 'refused' ||
      (event.outcome === 'quarantined' && event.data.reason !== 'IDENTITY_CONFLICT')
    ) {
      this.#world.violated(
        'same record, same decision',
        `${place} is ${says}; the logs place it in ${expected.region}`,
      );
      return;
    }
    const { decision, sampleSha256 } = event.data;
    if (decision?.region !== expected.region || decision.policy.digest !== expected.policy)
      this.#world.violated(
        'same record, same decision',
        `${place} is decided for ${decision?.region}; the logs place it in ${expected.region}, or under another policy`,
      );
    if (sampleSha256 !== expected.sampleSha256)
      this.#world.violated(
        'an event tells of its record',
        `${place} names another digest than its record's`,
      );
  }

  #once(position: string, event: StoredEvent): void {
    const {
      submission,
      decision: { region },
      placements,
      sampleSha256,
    } = event.data;
    const identity = `${submission}/${region}`;
    const before = this.#stored.get(identity);
    // The order in which the two settle says nothing about which of them lost its objects.
    if (
      before !== undefined &&
      !this.#excused(before, placements) &&
      !this.#excused({ position, region, placements }, before.placements)
    )
      this.#world.violated(
        'at most one stored',
        `${position} and ${before.position} are both stored in ${region} under one identity`,
      );
    this.#stored.set(identity, { position, region, placements });
    for (const placement of placements) {
      const { site, key } = placement;
      if (REGION_OF[site] !== region)
        this.#world.violated('region of object is region of site', `${position} in ${site}`);
      const object = this.#world.bucket(site).objects.get(key);
      const name = placedName(position, placement);
      // The stores cannot know: it was taken away after it was placed. What took its place since
      // belongs to a record that waits (docs/decisions/0015).
      if (this.#taken.has(name)) continue;
      if (object === undefined)
        this.#world.violated(
          'stored is there',
          `${position} is stored in ${site}, where nothing is`,
        );
      else if (
        nameOf(site, key, object) !== name ||
        readSealed(object.bytes).sampleSha256 !== sampleSha256
      )
        this.#world.violated(
          "an event's digest is its object's",
          `${position} in ${site} holds another object`,
        );
    }
  }

  /**
   * The world took away every object of it in the sites where the other record was placed: that
   * record's router saw no others, and the stores cannot know. A site that it could not see owes it
   * a copy (the arbiter loses an object while the later site is away: docs/evidence/model.md, two
   * faults at once), or is newer than its policy version.
   */
  #excused({ position, placements }: Placed, seen: readonly Placement[]): boolean {
    // What a site loses while it is out is no excuse: claims keep the identities.
    if (this.#world.plan.siteOut !== undefined) return false;
    const names = [
      ...placements.map((placement) => placedName(position, placement)),
      ...this.#custody.copiesOf(position),
    ];
    return names
      .filter((name) => seen.some(({ site }) => name.startsWith(`${site}/`)))
      .every((name) => this.#taken.has(name));
  }

  /** The sites from which the world took a conflict's own object. */
  #ownTakenFrom(place: string, { data: { reason, submission } }: Quarantined): ReadonlySet<string> {
    if (reason !== 'IDENTITY_CONFLICT' || submission === undefined) return new Set();
    const own = (site: string): string => `${site}/${objectKey(submission)}/${place}/`;
    return new Set(
      Object.keys(REGION_OF).filter((site) =>
        [...this.#taken].some((name) => name.startsWith(own(site))),
      ),
    );
  }

  /**
   * A conflict names a record of its identity and region that has another sample or country. Only if
   * the world damaged an object can nobody tell whose it was.
   */
  #conflict(place: string, { data }: Quarantined): void {
    const { submission = '', sampleSha256, country, decision, of, owner } = data;
    if (of === undefined || owner === undefined) {
      if (![...this.#taken].some((name) => name.includes(`/${objectKey(submission)}/`)))
        this.#world.violated('a conflict names its owner', `${place} names nobody`);
      return;
    }
    const { partition, offset } = parsePosition(of);
    const owners = (this.#intake.get(`${partition}/${offset}`) ?? []).map((record) =>
      this.#expected(record),
    );
    if (
      !owners.some(
        (one) =>
          one.outcome === 'placed' &&
          one.submission === submission &&
          one.region === decision?.region &&
          one.sampleSha256 === owner.sampleSha256 &&
          one.country === owner.country,
      )
    )
      this.#world.violated(
        'a conflict names its owner',
        `${place} names ${of}, which is another record than it says`,
      );
    if (sampleSha256 === owner.sampleSha256 && country === owner.country)
      this.#world.violated('a conflict names its owner', `${place} has what ${of} has`);
  }

  /** A duplicate of this record, or a conflict with it, was settled. */
  #named(of: string): void {
    const { now } = this.#world.scheduler;
    const without = this.#namedWithout.get(of) ?? new Set();
    for (const [site, at] of this.#unansweredAt) if (at >= now - NAMED_WITHIN_MS) without.add(site);
    this.#namedWithout.set(of, without);
  }

  /**
   * A conflict whose own object was in every site of its region, from which the world took it. No
   * store holds the sample any more (docs/decisions/0015). A later site may never have had it, if it
   * did not answer when an event named the record (docs/decisions/0037).
   */
  #isLost(place: string): boolean {
    // What a site loses while it is out is no excuse: claims keep the identities.
    if (this.#world.plan.siteOut !== undefined) return false;
    const event = this.#events.get(place);
    if (event?.outcome !== 'quarantined' || event.data.decision === undefined) return false;
    const { decision } = event.data;
    const [arbiter = '', ...later] =
      this.#policies
        .find(({ digest }) => digest === decision.policy.digest)
        ?.document.regions.find(({ id }) => id === decision.region)?.sites ?? [];
    const from = this.#takenFrom.get(place);
    return (
      from?.has(arbiter) === true &&
      later.every((site) => from.has(site) || this.#namedWithout.get(place)?.has(site) === true)
    );
  }

  #expected(record: Stored): Expected {
    let event;
    try {
      event = decodeKafka(record);
    } catch (error) {
      if (remedyOf(error) !== 'park') throw error;
      return { outcome: 'quarantined', reason: 'UNDECODABLE' };
    }
    const submission = readSubmission(event);
    if ('reason' in submission) return { outcome: 'quarantined', reason: submission.reason };
    if (submission.sample.length === 0) return { outcome: 'quarantined', reason: 'EMPTY_SAMPLE' };
    const consent = gate(this.#history(submission.consentId), record.at);
    if (!consent.given) return { outcome: 'refused', reason: consent.reason };
    const policy = policyInForce(this.#policies, record.at);
    const decision =
      policy === undefined ? undefined : decide(policy, submission.userCountry, record.at);
    if (decision?.known !== true) return { outcome: 'quarantined', reason: 'COUNTRY_UNKNOWN' };
    const sampleSha256 = sha256(submission.sample);
    if (submission.sampleSha256 !== undefined && submission.sampleSha256 !== sampleSha256)
      return { outcome: 'quarantined', reason: 'DIGEST_MISMATCH' };
    return {
      outcome: 'placed',
      region: decision.region,
      policy: decision.policy.digest,
      submission: submission.submission,
      country: decision.country,
      sampleSha256,
    };
  }

  #history(consentId: string): ConsentHistory {
    return (this.#consents.get(consentId) ?? []).reduce<ConsentHistory>(
      (history, { event, at }) => evolve(history, event, at),
      [],
    );
  }

  #checkpoint(partition: number, bytes: Buffer): void {
    const [, size = '', root] = bytes.toString('utf8').split('\n');
    const roots = this.#audits.get(partition)?.roots ?? [];
    if (roots[Number(size)] !== root)
      this.#world.violated(
        'checkpoints are consistent',
        `the checkpoint of size ${size} of partition ${partition} is not the audit log's`,
      );
  }

  #ledgerSize(partition: number): number {
    const checkpoint = this.#world.bucket('ledger').objects.get(`${partition}/checkpoint`);
    return checkpoint === undefined ? 0 : Number(checkpoint.bytes.toString('utf8').split('\n')[1]);
  }

  #assertLedger(partition: number, leaves: number): void {
    const size = this.#ledgerSize(partition);
    if (size !== leaves)
      this.#world.violated(
        'everything settles',
        `the ledger of partition ${partition} has ${size} of ${leaves} leaves`,
      );
  }

  #assertSettled(log: PartitionLog): void {
    const left = this.#unsettled(log);
    if (left !== undefined)
      this.#world.violated('everything settles', `${log.partition}/${left} has no event`);
    for (const stored of log.slice(log.start, log.end)) {
      const event = this.#events.get(positionOf(log, stored.offset));
      if (event === undefined || event.at === stored.at || !log.visible(stored)) continue;
      // What was cut off and overgrown within one fetch no client can see: only who takes the
      // partition over compares.
      if (this.cut.has(`${log.partition}/${stored.offset}`))
        this.#world.outcomes.count('a cut that nobody saw');
      else
        this.#world.violated(
          'everything settles',
          `${log.partition}/${stored.offset} has an event about another record`,
        );
    }
  }

  #unsettled(log: PartitionLog): number | undefined {
    for (let offset = log.end - 1; offset >= log.start; offset -= 1) {
      const stored = log.at(offset);
      if (
        stored === undefined ||
        !log.visible(stored) ||
        this.cut.has(`${log.partition}/${offset}`)
      )
        continue;
      // Events come in order: the last one tells of all.
      return this.#events.has(positionOf(log, offset)) ? undefined : offset;
    }
    return undefined;
  }

  #assertQuiet(position: string, event: AuditEvent): void {
    if (event.outcome === 'stored') this.#assertPlaced(position, event);
    if (event.outcome === 'duplicate') this.#assertOwner(position, event);
    if (event.outcome === 'quarantined') this.#assertConflict(position, event);
    const pointers = this.#pointers.get(position) ?? [];
    if (
      event.outcome === 'quarantined' &&
      pointers.length !== 1 &&
      !(this.#markersForgotten && (new Set(pointers).size === 1 || this.#pointersUndecided))
    ) {
      this.#world.violated('a pointer for each quarantine', `${position} has ${pointers.length}`);
    }
  }

  #assertPlaced(position: string, event: StoredEvent): void {
    for (const placement of event.data.placements) {
      const { site, key } = placement;
      // A custodian may have replaced what the event names, and the world have taken that.
      const names = [placedName(position, placement), ...this.#custody.copiesOf(position)];
      if (names.some((name) => name.startsWith(`${site}/`) && this.#taken.has(name))) continue;
      if (this.#custody.lostTombstone(position, site)) continue;
      if (!this.#world.bucket(site).objects.has(key))
        this.#world.violated(
          'stored is there',
          `${position} is stored in ${site}, where nothing is any more`,
        );
    }
  }

  #assertOwner(position: string, event: AuditEvent): void {
    const seen = new Set<string>();
    let [of, at]: [string, AuditEvent | undefined] = [position, event];
    while (at?.outcome === 'duplicate' && !seen.has(of)) {
      seen.add(of);
      ({ of } = at.data);
      at = this.#events.get(of);
    }
    if (at?.outcome === 'stored' || this.#isLost(of)) return;
    this.#world.violated(
      'a duplicate leads to a stored',
      `${[...seen, of].join(' is a duplicate of ')}, which is ${at?.outcome ?? 'nothing'}`,
    );
  }

  #assertConflict(position: string, { data: { of, sampleSha256, country } }: Quarantined): void {
    if (of === undefined) return;
    const seen = new Set([position]);
    let [owner, at] = [of, this.#events.get(of)];
    while (at !== undefined && 'of' in at.data && at.data.of !== undefined && !seen.has(owner)) {
      seen.add(owner);
      owner = at.data.of;
      at = this.#events.get(owner);
    }
    const isOther =
      at?.outcome === 'stored' &&
      (at.data.sampleSha256 !== sampleSha256 || at.data.country !== country);
    if (isOther || [...seen, owner].some((place) => this.#isLost(place))) return;
    this.#world.violated(
      'a conflict leads to a stored',
      `${[...seen, owner].join(' names ')}, which is ${at?.outcome ?? 'nothing'}`,
    );
  }

  #assertClaimed(): void {
    const claimed = new Set([
      ...this.#custody.claimed,
      ...[...this.#events.values()].flatMap((event) =>
        ('placements' in event.data ? (event.data.placements ?? []) : []).map(
          ({ site, key, sealedSha256 }) => `${site}/${key}/${sealedSha256}`,
        ),
      ),
    ]);
    for (const [site, { objects }] of this.#world.buckets) {
      for (const [key, object] of objects) {
        const { metadata, bytes } = object;
        if (
          site === 'ledger' ||
          !key.startsWith(OBJECT_PREFIX) ||
          // Only the world takes metadata away.
          metadata.position === undefined ||
          metadata.erased !== undefined ||
          this.#copies.has(nameOf(site, key, object)) ||
          this.#isLate(key, metadata.position)
        )
          continue;
        if (!claimed.has(`${site}/${key}/${sha256(bytes)}`))
          this.#world.violated(
            'no unclaimed object',
            `${site} holds an object of ${metadata.position} that no event claims`,
          );
      }
    }
  }

  /**
   * The record is settled, and the world took or damaged an object under this key: a router that had
   * lost the partition then wrote its own (docs/decisions/0015, 0034).
   */
  #isLate(key: string, position: string): boolean {
    return this.#events.has(position) && [...this.#taken].some((name) => name.includes(`/${key}/`));
  }

  #readPointers(): void {
    for (const log of this.#world.kafka.partitionsOf(TOPICS.quarantine)) {
      for (const stored of log.slice(this.#pointersRead, log.lastStable)) {
        if (!log.visible(stored) || stored.value === null) continue;
        const { position } = decodeQuarantinePointer(stored.value);
        this.#pointers.set(position, [
          ...(this.#pointers.get(position) ?? []),
          String(stored.value),
        ]);
      }
      this.#pointersRead = log.lastStable;
    }
  }
}

function positionOf({ partition }: PartitionLog, offset: number): string {
  return formatPosition({ log: LOG, topic: TOPICS.samples, partition, offset: BigInt(offset) });
}

function recordOf({ topic, partition }: PartitionLog, stored: Stored): LogRecord {
  return {
    topic,
    partition,
    offset: BigInt(stored.offset),
    at: stored.at,
    key: stored.key,
    headers: stored.headers,
    value: stored.value,
  };
}

function holds({ sampleSha256, sample }: Sealed, expected: Expected): boolean {
  return (
    expected.outcome === 'placed' &&
    expected.sampleSha256 === sampleSha256 &&
    sha256(Buffer.from(sample, 'hex')) === sampleSha256
  );
}

function described({ position, outcome, data }: AuditEvent): string {
  const place = `${position.partition}/${position.offset}`;
  if (outcome === 'duplicate') return `${place} is a duplicate of ${data.of}`;
  if (outcome === 'quarantined' && data.of !== undefined)
    return `${place} is a conflict with ${data.of}`;
  if (outcome === 'stored')
    return `${place} is stored in ${data.placements.map(({ site }) => site).join(' and ')}${data.owed === undefined ? '' : `; ${data.owed.join(' and ')} owe a copy`}`;
  return `${place} is ${outcome}, ${data.reason}`;
}
