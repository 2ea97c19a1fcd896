import {
  INITIAL_CONTROL,
  OBJECT_PREFIX,
  ServiceHistory,
  TOPICS,
  followControl,
  serviceOf,
  sitesInService,
  custodyDigest,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  ErasureIndex,
  custodyEventIn,
  custodyTopic,
  formatPosition,
  objectKey,
  sampleCopied,
  sampleErased,
  setAsideKey,
  sha256,
  storedSample,
  submissionOfKey,
  submissionOfSetAsideKey,
  tombstoneOf,
} from '@residency/contracts';
import type {
  ControlState,
  CopiedEvent,
  ErasedEvent,
  LogRecord,
  StoredEvent,
} from '@residency/contracts';
import { evolveHolding, holdingOf, owedSites } from '@residency/custody';
import type { Holding } from '@residency/custody';
import { policyInForce, settleWith } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { EPOCH } from './epoch.ts';
import type { PartitionLog } from './kafka/partition-log.ts';
import { CUSTODY_REGION, LOG, REGION_OF } from './names.ts';
import { nameOf, objectName } from './object-name.ts';
import type { SimObject } from './s3/bucket.ts';
import type { Surroundings } from './surroundings.ts';

interface Held {
  readonly position: string;
  readonly event: StoredEvent;
  holding: Holding;
  /** Of the record whose object it is: its own, or the one that it adopted. */
  readonly sealedFor: string;
}

export interface CustodyOracleDeps {
  readonly world: Surroundings;
  readonly policies: readonly PolicyPublished[];
  /** By `objectName`: objects that the world took away or damaged, and nobody put again. */
  readonly taken: ReadonlySet<string>;
}

/** Judges what sites owe, and what custodians do about it. */
export class CustodyOracle {
  readonly #deps: CustodyOracleDeps;
  readonly #log: PartitionLog;
  /** By the position of the `stored` event's record. */
  readonly #held = new Map<string, Held>();
  #cursor = 0;
  #sequence = 0;
  #previous: string | null = null;

  constructor(deps: CustodyOracleDeps) {
    this.#deps = deps;
    this.#log = deps.world.kafka.log(custodyTopic(CUSTODY_REGION), 0);
    this.#log.onChanged = () => {
      this.#read();
    };
  }

  /** Whether every copy is paid that can be, and no reader of the custody log waits. */
  get settled(): boolean {
    return this.#log.lastStable === this.#log.end && this.#unpaid().length === 0;
  }

  /** `stored` was appended. */
  stored(event: StoredEvent): void {
    const position = formatPosition(event.position);
    const { decision, placements, owed = [] } = event.data;
    const region = this.#deps.policies
      .find(({ digest }) => digest === decision.policy.digest)
      ?.document.regions.find(({ id }) => id === decision.region);
    const service = this.#services().of(decision.region, event.data.arbiter ?? 0);
    const arbiter = service?.arbiter ?? region?.sites[0] ?? '';
    const later = (region?.sites ?? []).filter((site) => site !== arbiter);
    const said = [...placements.map(({ site }) => site), ...owed];
    const absent = [arbiter, ...later].filter((site) => !said.includes(site));
    if (
      service === undefined ||
      placements[0]?.site !== arbiter ||
      new Set(said).size !== said.length ||
      said.some((site) => site !== arbiter && !later.includes(site)) ||
      absent.some((site) => !service.out.has(site)) ||
      (region !== undefined &&
        placements.length < Math.min(settleWith(region), 1 + later.length - absent.length))
    )
      this.#deps.world.violated(
        'placements and owed are the sites',
        `${position} is in ${placements.map(({ site }) => site).join(', ')} and owed by ${owed.join(', ')}; its policy names ${[arbiter, ...later].join(', ')}`,
      );
    if (owed.length > 0) this.#deps.world.outcomes.count('stored and owed');
    this.#held.set(position, {
      position,
      event,
      holding: holdingOf(storedSample(event)),
      sealedFor: placements[0]?.adopted?.position ?? position,
    });
  }

  /** By `objectName`: the copies that its events give a stored record. */
  copiesOf(position: string): readonly string[] {
    const held = this.#held.get(position);
    return held === undefined ? [] : namesOf(held);
  }

  /** `<site>/<key>/<digest>` of every copy that an event names. */
  get claimed(): readonly string[] {
    return [...this.#held.values()].flatMap(({ holding: { copies, submission, sealedSha256 } }) =>
      copies.map(({ site }) => `${site}/${objectKey(submission)}/${sealedSha256}`),
    );
  }

  /** A custodian put an object. `before`: what had the key. */
  put(site: string, key: string, object: SimObject, before: SimObject | undefined): void {
    if (!key.startsWith(OBJECT_PREFIX) || object.metadata.erased !== undefined) return;
    const { world } = this.#deps;
    if (!this.#isCiphertext(site, key, object))
      world.violated(
        'a copy follows its stored event',
        `a custodian wrote bytes to ${site} that no stored event names`,
      );
    if (before === undefined) return;
    world.outcomes.count('replaced');
    if (before.metadata.position !== undefined && this.#isCiphertext(site, key, before))
      world.violated(
        'no good copy is displaced',
        `a custodian replaced the copy of ${before.metadata.position} in ${site}`,
      );
    if (!this.#isKept(site, setAsideKey(submissionOfKey(key) ?? '', sha256(before.bytes))))
      world.violated(
        'what is replaced is kept',
        `a custodian replaced the object of ${before.metadata.position} in ${site}, whose bytes are nowhere under damaged/`,
      );
  }

  /** A tombstone came to stand under a sample's key. */
  tombstone(site: string, key: string, { bytes }: SimObject, by: string | undefined): void {
    const { world } = this.#deps;
    world.outcomes.count('tombstone');
    const [arbiter = ''] = this.#sites();
    const isOrdered = this.#heldAs(site, submissionOfKey(key)).some((held) => {
      const order = this.#orderOf(held);
      return order !== undefined && tombstoneOf(held.event, order).bytes.equals(bytes);
    });
    if (by?.startsWith('custodian') !== true || !isOrdered)
      world.violated(
        'only what is ordered is erased',
        `${by} put a tombstone into ${site} that no order explains`,
      );
    // With a site out, the custodian may know an earlier arbiter.
    if (
      world.plan.siteOut === undefined &&
      world.bucket(arbiter).objects.get(key)?.metadata.erased === undefined &&
      !this.#isTaken(arbiter, key)
    )
      world.violated(
        'the arbiter is erased first',
        `${by} put a tombstone into ${site}, and ${arbiter} has none`,
      );
  }

  /** Whether every site of the region has the tombstone, by the events, and the world took none. */
  isErased(submission: string): boolean {
    const { policies, world } = this.#deps;
    const sites = policyInForce([...policies], EPOCH + world.scheduler.now)?.document.regions.find(
      ({ id }) => id === CUSTODY_REGION,
    )?.sites;
    return [...this.#held.values()].some(
      ({ holding: { region, submission: of, erased } }) =>
        region === CUSTODY_REGION &&
        of === submission &&
        erased !== undefined &&
        [...(sites ?? []), ...this.#sites()].every(
          (site) => erased.sites.includes(site) && !this.#isTaken(site, objectKey(submission)),
        ),
    );
  }

  /** The record is erased in the site, and the world took something that had its key there. */
  lostTombstone(position: string, site: string): boolean {
    const { submission = '', erased } = this.#held.get(position)?.holding ?? {};
    return erased?.sites.includes(site) === true && this.#isTaken(site, objectKey(submission));
  }

  /** Whether this is the first order about a sample that Zurich stored under the identity. */
  isOrderAbout(submission: string, order: string): boolean {
    return this.#heldAs('zrh-1', submission).some((held) => this.#orderOf(held) === order);
  }

  /** An object came to stand in a site: no bytes of an erased sample, by whomever. */
  cameBack(site: string, key: string, object: SimObject, by: string | undefined): void {
    const submission = submissionOfKey(key) ?? submissionOfSetAsideKey(key);
    if (submission === undefined || isTombstone(object) || this.#isTaken(site, key)) return;
    for (const { position, holding } of this.#heldAs(site, submission))
      if (holding.erased?.sites.includes(site) === true)
        this.#deps.world.violated(
          'erased stays erased',
          `${by} wrote ${key} to ${site}, where ${position} is erased`,
        );
  }

  /** What is wrong once nothing more happens. */
  quiet(): void {
    const { world, taken } = this.#deps;
    for (const held of this.#held.values())
      for (const site of held.holding.erased?.sites ?? []) this.#assertErased(held, site);
    for (const held of this.#held.values()) {
      const key = objectKey(held.holding.submission);
      for (const { site } of held.holding.copies) {
        const name = nameOfCopy(held, site);
        const object = world.bucket(site).objects.get(key);
        if (!taken.has(name) && (object === undefined || nameOf(site, key, object) !== name))
          world.violated(
            'stored is there',
            `${held.position} has a copy in ${site}, where ${object === undefined ? 'nothing is' : `an object of ${object.metadata.position} is`}`,
          );
      }
    }
    for (const { position, site } of this.#unpaid())
      world.violated('owed copies are paid', `${site} still owes its copy of ${position}`);
    if (this.#log.lastStable < this.#log.end)
      world.violated('owed copies are paid', "the custody log's end stays undecided");
  }

  /** Which sites served, by the control log up to now. */
  #services(): ServiceHistory {
    const history = new ServiceHistory();
    for (const record of this.#control()) history.add(record);
    return history;
  }

  *#control(): Generator<LogRecord> {
    const log = this.#deps.world.kafka.log(TOPICS.control, 0);
    for (let offset = log.start; offset < log.lastStable; offset += 1) {
      const stored = log.at(offset);
      if (stored !== undefined && log.visible(stored))
        yield { ...stored, topic: TOPICS.control, partition: 0, offset: BigInt(offset) };
    }
  }

  #read(): void {
    for (; this.#cursor < this.#log.lastStable; this.#cursor += 1) {
      const stored = this.#log.at(this.#cursor);
      if (stored === undefined || !this.#log.visible(stored)) continue;
      this.#appended(stored.value ?? Buffer.alloc(0));
    }
  }

  #appended(value: Buffer): void {
    const { world } = this.#deps;
    const event = custodyEventIn(value);
    if (
      event === undefined ||
      event.log !== LOG ||
      event.data.region !== CUSTODY_REGION ||
      event.sequence !== this.#sequence ||
      event.data.previous !== this.#previous
    )
      world.violated(
        'custody without hole or repeat',
        `event ${event?.sequence} follows ${this.#sequence - 1} in the custody log, or names another one as previous`,
      );
    this.#sequence += 1;
    this.#previous = custodyDigest(value);
    if (event?.type === SAMPLE_COPIED) this.#copied(event);
    if (event?.type === SAMPLE_ERASED) this.#erased(event);
  }

  #erased(event: ErasedEvent): void {
    const { world } = this.#deps;
    const { of, order, sites } = event.data;
    const names = sites.map(({ site }) => site);
    world.outcomes.count('erased');
    world.narrate(
      world.scheduler.now,
      'custody log',
      `${of.split('/').slice(-2).join('/')} is erased in ${names.join(' and ')}`,
    );
    const held = this.#held.get(of);
    if (held === undefined || this.#orderOf(held) !== order) {
      world.violated('only what is ordered is erased', `${of} is erased, and no order says so`);
      return;
    }
    const { holding, finding } = evolveHolding(held.holding, sampleErased(event));
    if (finding !== undefined)
      world.violated('only what is ordered is erased', `${finding.code}: ${of} cannot follow`);
    held.holding = holding;
    for (const site of names) this.#assertErased(held, site);
  }

  /** The site has the tombstone, and no bytes of the sample anywhere. */
  #assertErased({ position, holding: { submission } }: Held, site: string): void {
    const key = objectKey(submission);
    const { objects } = this.#deps.world.bucket(site);
    const standing = objects.get(key);
    const isGone = standing !== undefined && isTombstone(standing);
    const aside = [...objects].filter(
      ([each, object]) => submissionOfSetAsideKey(each) === submission && !isTombstone(object),
    );
    if ((!isGone && !this.#isTaken(site, key)) || aside.length > 0)
      this.#deps.world.violated(
        'erased is gone',
        `${position} is erased in ${site}, which has ${isGone ? 'bytes of it set aside' : 'no tombstone'}`,
      );
  }

  /** The first order about the sample. */
  #orderOf({ event: { at, data } }: Held): string | undefined {
    const { submission, consentId, decision } = data;
    const sample = { region: decision.region, submission, consentId, at };
    return new ErasureIndex(this.#state().erasures).orderOf(sample);
  }

  /** Stored in the region of the site under this identity. */
  #heldAs(site: string, submission: string | undefined): readonly Held[] {
    return [...this.#held.values()].filter(
      ({ holding }) => holding.submission === submission && holding.region === REGION_OF[site],
    );
  }

  /** The world took something that had the key there. */
  #isTaken(site: string, key: string): boolean {
    return [...this.#deps.taken].some((name) => name.startsWith(`${site}/${key}/`));
  }

  #copied(event: CopiedEvent): void {
    const { world, taken } = this.#deps;
    const { of, copy, setAside } = event.data;
    world.narrate(
      world.scheduler.now,
      'custody log',
      `${copy.site} has got its copy of ${of.split('/').slice(-2).join('/')}${setAside === undefined ? '' : ', and something else was set aside'}`,
    );
    const held = this.#held.get(of);
    if (held === undefined) {
      world.violated('a copy follows its stored event', `${of} is copied, and is not stored`);
      return;
    }
    const { holding, finding } = evolveHolding(held.holding, sampleCopied(event));
    if (finding !== undefined)
      world.violated(
        'one event for each copy',
        `${finding.code}: ${of} in ${copy.site} cannot follow`,
      );
    held.holding = holding;
    const object = world.bucket(copy.site).objects.get(copy.key);
    const name = nameOfCopy(held, copy.site);
    if (
      REGION_OF[copy.site] !== CUSTODY_REGION ||
      (!taken.has(name) && (object === undefined || nameOf(copy.site, copy.key, object) !== name))
    )
      world.violated(
        'a copied event has its copy',
        `${copy.site} is said to have the copy of ${of}, and ${object === undefined ? 'has nothing' : `has an object of ${object.metadata.position}`}`,
      );
    if (setAside !== undefined && !this.#isKept(copy.site, setAside.key))
      world.violated('what is replaced is kept', `${copy.site} has nothing under ${setAside.key}`);
  }

  /**
   * Copies that sites of the policy in force owe, but for the two kinds that nobody can pay, and
   * tombstones of what is ordered to be erased.
   */
  #unpaid(): readonly { readonly position: string; readonly site: string }[] {
    const { world } = this.#deps;
    if ((world.plan.custodians ?? 0) === 0) return [];
    const sites = this.#sites();
    const index = new ErasureIndex(this.#state().erasures);
    return [...this.#held.values()]
      .filter(({ holding: { region } }) => region === CUSTODY_REGION)
      .flatMap((held) => {
        const { event, holding } = held;
        const { submission, consentId } = event.data;
        const sample = { region: CUSTODY_REGION, submission, consentId, at: event.at };
        const isOrdered = index.orderOf(sample) !== undefined;
        const owing = isOrdered
          ? sites.filter((site) => holding.erased?.sites.includes(site) !== true)
          : owedSites(holding, sites).filter(
              (site) => !this.#isLost(held, site) && !this.#isAnothers(held, site),
            );
        return owing.map((site) => ({ position: held.position, site }));
      });
  }

  #state(): ControlState {
    let control = INITIAL_CONTROL;
    for (const record of this.#control()) control = followControl(control, record);
    return control;
  }

  /** Of the policy in force and in service, the arbiter first. */
  #sites(): readonly string[] {
    const { world, policies } = this.#deps;
    const named =
      policyInForce([...policies], EPOCH + world.scheduler.now)?.document.regions.find(
        ({ id }) => id === CUSTODY_REGION,
      )?.sites ?? [];
    return sitesInService(serviceOf(this.#state(), CUSTODY_REGION), named);
  }

  /** The world took every copy while the site owed its own, which is not there either. */
  #isLost(held: Held, site: string): boolean {
    const object = this.#objectOf(held, site);
    return (
      namesOf(held).every((name) => this.#deps.taken.has(name)) &&
      (object === undefined || sha256(object.bytes) !== held.holding.sealedSha256)
    );
  }

  /** The site has the ciphertext of another stored record of the identity: neither is displaced. */
  #isAnothers(held: Held, site: string): boolean {
    const object = this.#objectOf(held, site);
    return (
      object !== undefined &&
      sha256(object.bytes) !== held.holding.sealedSha256 &&
      this.#isCiphertext(site, objectKey(held.holding.submission), object)
    );
  }

  #objectOf({ holding: { submission } }: Held, site: string): SimObject | undefined {
    return this.#deps.world.bucket(site).objects.get(objectKey(submission));
  }

  /** Whether the bytes are the ones that count for a stored record of this identity and region. */
  #isCiphertext(site: string, key: string, { bytes }: SimObject): boolean {
    const digest = sha256(bytes);
    return [...this.#held.values()].some(
      ({ holding: { region, submission, sealedSha256 } }) =>
        sealedSha256 === digest && region === REGION_OF[site] && objectKey(submission) === key,
    );
  }

  /** Kept under `damaged/`, or taken from there by the world. */
  #isKept(site: string, key: string): boolean {
    const object = this.#deps.world.bucket(site).objects.get(key);
    return object === undefined
      ? this.#isTaken(site, key)
      : isTombstone(object) || key.endsWith(`/${sha256(object.bytes)}`);
  }
}

/** Under a sample's key, or a set-aside key. */
function isTombstone({ bytes }: SimObject): boolean {
  return bytes.toString().startsWith('{"erased":');
}

function nameOfCopy(
  { holding: { submission, sealedSha256 }, sealedFor }: Held,
  site: string,
): string {
  return objectName(site, objectKey(submission), sealedFor, sealedSha256);
}

function namesOf(held: Held): readonly string[] {
  return held.holding.copies.map(({ site }) => nameOfCopy(held, site));
}
