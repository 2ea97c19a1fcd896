import { decodeKafka, encodeKafkaBinary } from '@residency/cloudevents';
import { codeOf, hasCode, remedyOf } from '@residency/coded-error';
import {
  CONSENT_GRANTED,
  CONSENT_WITHDRAWN,
  ERASURE_ORDERED,
  REDRIVE_HEADER,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  SITE_PROBE_KEY,
  SUBMITTED,
  TOPICS,
  consentEntry,
  controlEntry,
  encodeSiteMarker,
  formatPosition,
  objectKey,
  policyEntry,
  readSubmission,
  sha256,
  submissionId,
} from '@residency/contracts';
import type { LogEntry, NewRecord } from '@residency/contracts';
import type { CloudEvent } from '@residency/cloudevents';
import { defined } from '@residency/defined';
import { policyInForce } from '@residency/residency';
import type { PolicyDocument, PolicyRule } from '@residency/residency';
import { EPOCH } from './epoch.ts';
import { auditor } from './actors/auditor.ts';
import { custodian } from './actors/custodian.ts';
import { operator } from './actors/operator.ts';
import { projector } from './actors/projector.ts';
import { router } from './actors/router.ts';
import { CUSTODIAN_GROUP, CUSTODY_REGION, GROUP, LOG, REGION_OF, SALT } from './names.ts';
import { SITES, names } from './plan.ts';
import type { Happening, Submit } from './plan.ts';
import { SimProcess } from './process.ts';
import { Random } from './random.ts';
import type { SimObject } from './s3/bucket.ts';
import type { World } from './world.ts';

const MAINS = { router, projector, auditor, custodian } as const;
const SITES_BY_REGION: readonly (readonly string[])[] = Object.values(
  Object.groupBy(SITES, (site) => REGION_OF[site] ?? ''),
).map((sites = []) => sites);
/** Those that do not arbitrate. */
const LATER_SITES = SITES_BY_REGION.flatMap((sites) => sites.slice(1));
/** After a process ended somebody starts it again. */
const RESTART_MS = 500;
/** So long a partition waits before a person looks. */
const PERSON_MS = 10_000;

interface Snapshot {
  readonly at: number;
  readonly redis: ReadonlyMap<string, string>;
  readonly sites: ReadonlyMap<string, ReadonlyMap<string, SimObject>>;
}

/** What happens to a world: its plan, and the people and machines that keep it running. */
export class Life {
  readonly #world: World;
  readonly #snapshots: Snapshot[] = [];
  readonly #lives = new Map<string, number>();
  /** By a record's headers. */
  readonly #sent = new WeakMap<object, Submit>();
  #published = 0;
  #ordered = 0;
  #version = 1;
  #sites = { zurich: ['zrh-1', 'zrh-2'], moscow: ['mow-1'] };
  #usIn = 'zurich';
  #busy = true;
  /** The site that does not answer, because it is out. */
  #gone: string | undefined;
  #siteIsIn = false;
  /** Codes with which a process may end, because the world did what a person must look at. */
  readonly #persons = new Set<string>();
  /** Ended so that only a person may start it again. */
  readonly waiting = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  begin(): void {
    const world = this.#world;
    const { plan, scheduler } = world;
    for (const [site, region] of Object.entries(REGION_OF))
      world.bucket(site).create({
        key: 'residency-site.json',
        bytes: encodeSiteMarker({ site, region }),
        metadata: {},
      });
    this.#append(policyEntry(this.#policy(), 'p-1'), TOPICS.policy);
    for (const name of [
      ...names('router', plan.routers),
      ...names('projector', plan.projectors),
      'auditor',
      ...names('custodian', plan.custodians ?? 0),
    ])
      this.#start(name);
    for (const happening of plan.happenings)
      scheduler.after(happening.at, undefined, 'plan', () => {
        this.#happen(happening);
      });
    if (plan.siteOut !== undefined)
      scheduler.after(plan.siteOut.at, undefined, 'a site goes out', () => {
        this.#siteGone();
      });
    if (plan.swappedMs > 0) this.#swap(plan.swappedMs);
    const snap = (): void => {
      if (!this.#busy) return;
      this.#snapshots.push({
        at: scheduler.now,
        redis: new Map(world.redis.values),
        sites: new Map([...world.buckets].map(([name, { objects }]) => [name, new Map(objects)])),
      });
      scheduler.after(1_000, undefined, 'time passes', snap);
    };
    snap();
  }

  /** A site does not answer any more, and somebody takes it out of service. */
  #siteGone(): void {
    const world = this.#world;
    const { siteOut } = world.plan;
    if (siteOut === undefined) return;
    world.faults.count('site out');
    world.narrate(world.scheduler.now, 'world', `${siteOut.site} does not answer any more`);
    this.#gone = siteOut.site;
    world.setWeather(`s3:${siteOut.site}`, { lost: 1, unanswered: 0, slowMs: 0 });
    this.#start('operator');
  }

  /** Before it serves again. */
  #siteBack(): void {
    const world = this.#world;
    const { siteOut } = world.plan;
    if (siteOut === undefined || this.#gone === undefined) return;
    this.#gone = undefined;
    const { site, destroyed } = siteOut;
    world.setWeather(`s3:${site}`, undefined);
    const stored = new Set(
      [...world.oracle.events]
        .filter(([, event]) => event.outcome === 'stored')
        .flatMap(([position, event]) => [
          position,
          ...('placements' in event.data ? (event.data.placements ?? []) : []).flatMap(
            ({ adopted }) => adopted?.position ?? [],
          ),
        ]),
    );
    const goes = [...world.bucket(site).objects].filter(
      ([key, { metadata }]) =>
        key.startsWith('samples/') && (destroyed || !stored.has(metadata.position ?? '')),
    );
    for (const [key] of goes) this.#remove(site, key);
    world.narrate(
      world.scheduler.now,
      'operator',
      `${site} is back ${destroyed ? 'empty' : `without ${goes.length} objects of no stored sample`}`,
    );
  }

  /** Settings that a person wrote wrongly, until that person reads why no router starts. */
  #swap(forMs: number): void {
    const world = this.#world;
    world.faults.count('sites swapped');
    this.#persons.add('SITE_MARKER_MISMATCH');
    world.narrate(
      0,
      'operator',
      `writes settings in which ${world.swapped?.join(' and ')} are each other's bucket`,
    );
    world.scheduler.after(forMs, undefined, 'settings are corrected', () => {
      world.swapped = undefined;
      world.narrate(
        world.scheduler.now,
        'operator',
        'corrects the settings and starts the routers',
      );
      for (const name of [
        ...names('router', world.plan.routers),
        ...names('custodian', world.plan.custodians ?? 0),
      ]) {
        this.waiting.delete(name);
        world.processes.get(name)?.die();
        this.#start(name);
      }
    });
  }

  /** A site that went out is in service again. */
  get sitesServe(): boolean {
    return this.#world.plan.siteOut === undefined || this.#siteIsIn;
  }

  /** All faults are mended; from here on everything must come to rest. */
  mend(): void {
    const world = this.#world;
    this.#busy = false;
    world.narrate(
      world.scheduler.now,
      'operator',
      'mends everything; from here on all must settle',
    );
    for (const name of ['kafka', 'redis', ...[...world.buckets.keys()].map((site) => `s3:${site}`)])
      if (name !== `s3:${this.#gone}`) world.setWeather(name, undefined);
    for (const bucket of world.buckets.values()) {
      bucket.refuses = undefined;
      bucket.conflicts = 0;
    }
    world.kafka.commitFaults.length = 0;
    world.kafka.custodyFaults.length = 0;
    world.kafka.transactions.markersToLose = 0;
    world.kafka.transactions.markerDelayMs = 0;
    this.#happen({ kind: 'resume', at: 0 });
    for (const process of world.processes.values()) process.thaw();
    for (const [name] of this.#lives)
      if (world.processes.get(name)?.state === 'dead' && !(name === 'operator' && this.#siteIsIn))
        this.#start(name);
  }

  /**
   * A transaction hangs that no coordinator knows: routers are restarted, and whoever takes its
   * partition over ends it.
   */
  operate(): void {
    this.#reconcileSites();
  }

  unhang(): boolean {
    const world = this.#world;
    const hangs = [
      ...world.kafka.partitionsOf(TOPICS.audit),
      ...world.kafka.partitionsOf(TOPICS.quarantine),
    ].some(({ undecided }) => undecided > 0);
    if (!hangs || world.kafka.transactions.undecided > 0) return false;
    world.narrate(
      world.scheduler.now,
      'operator',
      'finds a transaction that hangs, and restarts the routers',
    );
    world.outcomes.count('operator: hanging transaction');
    for (const [name, process] of world.processes) {
      if (!name.startsWith('router')) continue;
      process.die();
      this.#start(name);
    }
    return true;
  }

  /**
   * Sites tell different things of one identity, and a partition waits for a person:
   * docs/runbooks/ResidencySitesDisagree.md.
   */
  #reconcileSites(): void {
    const world = this.#world;
    for (const [partition, { error, offset, since }] of world.waiting) {
      const [disagree, unsettled] = [
        hasCode(error, 'SITES_DISAGREE'),
        hasCode(error, 'OWNER_UNSETTLED'),
      ];
      if ((!disagree && !unsettled) || world.scheduler.now - since < PERSON_MS) continue;
      world.waiting.delete(partition);
      const key = this.#keyOf(partition, offset);
      if (key === undefined) continue;
      if (disagree) this.#mendObject(key);
      else this.#takeStrangerAway(key, positionOf(partition, offset));
    }
  }

  /** Of the objects of the intake record there. */
  #keyOf(partition: number, offset: bigint): string | undefined {
    const stored = this.#world.kafka.log(TOPICS.samples, partition).at(Number(offset));
    if (stored === undefined) return undefined;
    const read = readSubmission(decodeKafka(stored));
    return 'reason' in read ? undefined : objectKey(read.submission);
  }

  /**
   * A tombstone is right in all sites, then the stored record's object; of records that are settled and not stored,
   * in none; else the later site's is the older one.
   */
  #mendObject(key: string): void {
    const world = this.#world;
    // Whatever policy versions were published, valid or not.
    for (const all of SITES_BY_REGION) {
      const sites = all.filter((site, at) => at === 0 || world.bucket(site).objects.has(key));
      const there = sites.flatMap((site) => world.bucket(site).objects.get(key) ?? []);
      if (there.length === 0) continue;
      const outcomeOf = ({ metadata }: SimObject): string | undefined =>
        world.oracle.events.get(metadata.position ?? '')?.outcome;
      const good =
        there.find(({ metadata }) => metadata.erased !== undefined) ??
        there.find((object) => outcomeOf(object) === 'stored') ??
        there.findLast(
          (object) => outcomeOf(object) === undefined && object.metadata.position !== undefined,
        );
      world.outcomes.count('operator: sites disagree');
      for (const site of sites) {
        if (good === undefined) this.#remove(site, key);
        else {
          world.oracle.copied(site, key, good);
          world.bucket(site).objects.set(key, good);
        }
      }
      world.narrate(
        world.scheduler.now,
        'operator',
        `makes ${sites.join(' and ')} agree: ${good === undefined ? 'no object' : `the object of ${good.metadata.position}`}`,
      );
    }
  }

  /** The object of an unsettled record in a later site, for which the record `waits` waits. */
  #takeStrangerAway(key: string, waits: string): void {
    const world = this.#world;
    const site = LATER_SITES.find((later) => {
      const { position } = world.bucket(later).objects.get(key)?.metadata ?? {};
      return position !== undefined && position !== waits && !world.oracle.events.has(position);
    });
    if (site === undefined) return;
    world.outcomes.count('operator: partitions wait for one another');
    world.narrate(
      world.scheduler.now,
      'operator',
      `takes the object that two partitions wait for away from ${site}`,
    );
    this.#remove(site, key);
  }

  #start(name: string): void {
    const world = this.#world;
    if (this.waiting.has(name) || world.processes.get(name)?.state === 'running') return;
    const life = (this.#lives.get(name) ?? 0) + 1;
    this.#lives.set(name, life);
    const [, main] =
      name === 'operator'
        ? [name, this.#operator()]
        : (Object.entries(MAINS).find(([kind]) => name.startsWith(kind)) ?? []);
    if (main === undefined)
      throw new Error(`Expected a process that the world knows, found ${name}.`);
    const process = new SimProcess(world, name, new Random(`${world.plan.seed}/${name}/${life}`));
    world.processes.set(name, process);
    process.start(main, (error) => {
      this.#ended(process, error);
    });
  }

  #operator(): ((process: SimProcess) => Promise<void>) | undefined {
    const { siteOut } = this.#world.plan;
    return (
      siteOut &&
      operator({
        ...siteOut,
        sites: () =>
          policyInForce(
            [...this.#world.oracle.policies],
            EPOCH + this.#world.scheduler.now,
          )?.document.regions.find(({ id }) => id === CUSTODY_REGION)?.sites ?? [],
        back: () => {
          this.#siteBack();
        },
        done: () => {
          this.#siteIsIn = true;
        },
      })
    );
  }

  #ended(process: SimProcess, error: unknown): void {
    const world = this.#world;
    const { name } = process;
    process.die();
    if (name === 'operator' && error === undefined) return;
    if (process.stop.signal.aborted && (error === undefined || remedyOf(error) === 'retry')) return;
    const code = codeOf(error);
    const text = error instanceof Error ? error.message : 'nothing was thrown';
    world.narrate(world.scheduler.now, name, `ends: ${code ?? 'no code'}: ${text}`);
    if (code === undefined || !this.#persons.has(code)) {
      world.violated(
        'no process ends',
        `${name}: ${code ?? 'no code'}: ${text}${code === undefined && error instanceof Error ? `\n${error.stack}` : ''}`,
      );
      return;
    }
    world.outcomes.count(`waits for a person: ${code}`);
    this.waiting.set(name, code);
  }

  #happen(happening: Happening): void {
    const world = this.#world;
    const { scheduler, kafka, faults } = world;
    const { kind } = happening;
    const narrate = (what: string): void => {
      world.narrate(scheduler.now, 'world', what);
    };
    const later = (ms: number, run: () => void): void => {
      scheduler.after(ms, undefined, `${kind} ends`, run);
    };
    if (!this.#busy && kind !== 'resume') return;
    if (!NOT_FAULTS.has(kind)) faults.count(kind);
    switch (happening.kind) {
      case 'submit':
        this.#submit(happening);
        return;
      case 'grant':
      case 'withdraw': {
        const consentId = consentName(happening.consent);
        const data =
          kind === 'grant'
            ? {
                consentId,
                purposes: ['threat-sample-sharing'],
                termsVersion: `terms-${happening.terms}`,
              }
            : { consentId };
        world.narrate(scheduler.now, 'publisher', `${kind}s ${consentId}`);
        this.#append(
          consentEntry(
            jsonEvent(kind === 'grant' ? CONSENT_GRANTED : CONSENT_WITHDRAWN, data, this.#id()),
            SALT,
          ),
          TOPICS.consents,
        );
        return;
      }
      case 'bad-consent':
        kafka.produce(TOPICS.consents, 0, [
          {
            key: Buffer.from('bad'),
            headers: [['content-type', Buffer.from('application/cloudevents+json')]],
            value: Buffer.from('{"specversion":"1.0","data":{}}'),
          },
        ]);
        return;
      case 'policy':
        this.#publish(happening);
        return;
      case 'kill':
      case 'stop': {
        const process = world.processes.get(happening.process);
        if (process === undefined || process.state === 'dead') return;
        narrate(`${kind}s ${happening.process}`);
        if (kind === 'kill') process.die();
        else process.terminate();
        const again = (): void => {
          // One that was told to stop may take long to end, also after everything was mended.
          if (process.state !== 'dead') later(RESTART_MS, again);
          else this.#start(happening.process);
        };
        later(happening.awayMs, again);
        return;
      }
      case 'freeze': {
        const process = world.processes.get(happening.process);
        narrate(`freezes ${happening.process} for ${Math.round(happening.awayMs)} ms`);
        process?.freeze();
        later(happening.awayMs, () => {
          process?.thaw();
        });
        return;
      }
      case 'weather': {
        const { service, lost, unanswered, slowMs, awayMs } = happening;
        narrate(
          `the way to ${service} loses ${lost} of requests and ${unanswered} of answers, slow by ${slowMs} ms, for ${Math.round(awayMs)} ms`,
        );
        world.setWeather(service, { lost, unanswered, slowMs });
        later(awayMs, () => {
          world.setWeather(service, undefined);
        });
        return;
      }
      case 'site-refuses': {
        const bucket = world.bucket(happening.site);
        narrate(
          `${happening.site} answers ${happening.how} for ${Math.round(happening.awayMs)} ms`,
        );
        bucket.refuses = happening.how;
        later(happening.awayMs, () => {
          bucket.refuses = undefined;
        });
        return;
      }
      case 'power-cut': {
        if (!world.plan.disks) return;
        // Who writes to disks of its own machine loses power with them.
        this.#restart('router', 'custodian');
        narrate(
          `the power of ${happening.site} is cut: ${world.bucket(happening.site).cutPower()} objects that were not flushed are gone`,
        );
        return;
      }
      case 'conflicts':
        world.bucket(happening.site).conflicts += happening.count;
        return;
      case 'object-lost':
      case 'object-damaged':
      case 'site-older':
        this.#harm(happening);
        return;
      case 'redis-emptied':
        narrate('Redis is emptied');
        world.redis.values = new Map();
        return;
      case 'redis-older': {
        const snapshot = this.#snapshotBefore(happening.byMs);
        narrate(`Redis is an older copy of itself, of ${Math.round(snapshot.at)} ms`);
        world.redis.values = new Map(snapshot.redis);
        return;
      }
      case 'markers-lost':
        kafka.transactions.markersToLose += happening.count;
        return;
      case 'commit-fails':
        (happening.of === 'custodian' ? kafka.custodyFaults : kafka.commitFaults).push(happening);
        return;
      case 'markers-slow':
        kafka.transactions.markerDelayMs = happening.ms;
        later(happening.awayMs, () => {
          kafka.transactions.markerDelayMs = 0;
        });
        return;
      case 'leader-moves': {
        const log = kafka.partitionsOf(happening.topic)[happening.partition];
        if (log !== undefined) log.leader = happening.to;
        return;
      }
      case 'rebalance':
        kafka.group(GROUP).rebalance();
        kafka.group(CUSTODIAN_GROUP).rebalance();
        return;
      case 'offsets-forgotten':
        narrate("the group's committed offsets are forgotten");
        for (const { partition } of kafka.partitionsOf(TOPICS.samples))
          kafka.setCommitted(GROUP, TOPICS.samples, partition, undefined);
        return;
      case 'pause':
      case 'resume':
        narrate(`an operator ${kind}s routing`);
        this.#append(
          controlEntry(
            kind === 'pause'
              ? { type: ROUTING_PAUSED, data: { reason: 'a drill' } }
              : { type: ROUTING_RESUMED, data: {} },
            this.#id(),
            SALT,
          ),
          TOPICS.control,
        );
        if (kind === 'pause')
          later(3_000, () => {
            this.#happen({ kind: 'resume', at: 0 });
          });
        return;
      case 'retention':
        this.#retention();
        return;
      case 'redrive':
        this.#redrive(happening.which);
        return;
      case 'erase':
        this.#order(happening);
        return;
      case 'log-cut':
        this.#cut(happening);
        return;
      case 'topic-remade':
        return;
      default:
        happening satisfies never;
    }
  }

  #submit(submit: Submit): void {
    const { id, sample, country, consent, partition, hostile, transaction } = submit;
    const world = this.#world;
    const { kafka, scheduler } = world;
    const record = submission(id, sample, country, consent, hostile);
    this.#sent.set(record.headers, submit);
    const log = kafka.log(TOPICS.samples, partition);
    const text = `s-${id} (sample ${sample}, ${country === '' ? 'no country' : country}, ${consentName(consent)}${hostile === undefined ? '' : `, ${hostile}`})`;
    if (transaction === undefined) {
      const offset = kafka.produce(TOPICS.samples, partition, [record]);
      world.narrate(scheduler.now, 'publisher', `sends ${text} as ${partition}/${offset}`);
      return;
    }
    const producer = { id: kafka.newProducerId(), epoch: 0, inTransaction: true };
    const offset = log.append([record], kafka.clockOf(log), producer);
    world.narrate(
      scheduler.now,
      'publisher',
      `sends ${text} as ${partition}/${offset} in a transaction that ${transaction.commits ? 'commits' : 'aborts'} after ${Math.round(transaction.openMs)} ms`,
    );
    world.faults.count("publisher's transaction");
    scheduler.after(transaction.openMs, undefined, 'publisher ends its transaction', () => {
      log.mark(producer.id, 0, transaction.commits ? 'commit' : 'abort', kafka.clockOf(log));
    });
  }

  #publish({ change, leadMs }: Extract<Happening, { kind: 'policy' }>): void {
    const { scheduler } = this.#world;
    this.#version += 1;
    const sites = { ...this.#sites };
    switch (change) {
      case 'country-moves':
        this.#usIn = this.#usIn === 'zurich' ? 'moscow' : 'zurich';
        break;
      case 'site-added':
        this.#sites = { ...sites, zurich: [...new Set([...sites.zurich, 'zrh-3'])] };
        break;
      case 'sites-reversed':
        this.#sites = { ...sites, zurich: sites.zurich.toReversed() };
        break;
      case 'site-removed':
        this.#sites = { ...sites, zurich: sites.zurich.slice(0, 1) };
        break;
      case 'retroactive':
      case 'unsound':
        break;
      default:
        change satisfies never;
    }
    this.#world.narrate(
      scheduler.now,
      'operator',
      `publishes policy version ${this.#version}: ${change}`,
    );
    this.#append(
      policyEntry(
        this.#policy(change, change === 'retroactive' ? -leadMs : leadMs),
        `p-${this.#version}`,
      ),
      TOPICS.policy,
    );
  }

  #policy(change?: string, leadMs = 0): PolicyDocument {
    const rules = [
      rule('zurich', ['CH', ...(this.#usIn === 'zurich' ? ['US'] : [])]),
      rule('moscow', ['RU', ...(this.#usIn === 'moscow' ? ['US'] : [])]),
    ];
    const { settleWith } = this.#world.plan;
    return {
      id: 'residency',
      version: this.#version,
      effectiveFrom: new Date(EPOCH + Math.floor(this.#world.scheduler.now) + leadMs).toISOString(),
      regions: [
        { id: 'zurich', sites: this.#sites.zurich, ...defined({ settleWith }) },
        { id: 'moscow', sites: this.#sites.moscow },
      ],
      rules: rules.map((each) => ({
        ...each,
        ...(change === 'unsound' ? { region: 'nowhere' } : {}),
      })),
    };
  }

  #harm(
    happening: Extract<Happening, { kind: 'object-lost' | 'object-damaged' | 'site-older' }>,
  ): void {
    const world = this.#world;
    const { site, kind } = happening;
    const bucket = world.bucket(site);
    if (kind === 'site-older') {
      const older =
        this.#snapshotBefore(happening.byMs).sites.get(site) ?? new Map<string, SimObject>();
      const gone = [...bucket.objects].filter(([key, object]) => older.get(key) !== object);
      world.narrate(
        world.scheduler.now,
        'world',
        `${site} is an older copy of itself, without ${gone.length} objects`,
      );
      for (const [key] of gone) this.#remove(site, key);
      // Gone between two writes of it, the probe makes a store look as if it overwrote.
      if (gone.some(([key]) => key === SITE_PROBE_KEY)) this.#persons.add('SITE_NOT_CREATE_ONLY');
      return;
    }
    const keys = [...bucket.objects.keys()].filter((key) => key.startsWith('samples/'));
    const key = keys[happening.which % Math.max(1, keys.length)];
    const object = key === undefined ? undefined : bucket.objects.get(key);
    if (key === undefined || object === undefined) return;
    world.narrate(
      world.scheduler.now,
      'world',
      `${site} ${kind === 'object-lost' ? 'loses' : 'damages'} the object of ${object.metadata.position}`,
    );
    if (kind === 'object-lost') this.#remove(site, key);
    else {
      world.oracle.taken(site, key);
      bucket.objects.set(key, { ...object, metadata: {} });
    }
  }

  #remove(site: string, key: string): void {
    this.#world.oracle.taken(site, key);
    this.#world.bucket(site).objects.delete(key);
  }

  #snapshotBefore(byMs: number): Snapshot {
    const { now } = this.#world.scheduler;
    return (
      this.#snapshots.findLast(({ at }) => at <= now - byMs) ??
      this.#snapshots[0] ?? { at: 0, redis: new Map(), sites: new Map() }
    );
  }

  /** The brokers delete what is settled, as a retention longer than routing ever waits does. */
  #retention(): void {
    const { kafka, oracle } = this.#world;
    for (const log of kafka.partitionsOf(TOPICS.samples)) {
      let settled = log.start;
      for (let offset = log.start; offset < log.lastStable; offset += 1) {
        if (oracle.events.has(positionOf(log.partition, BigInt(offset)))) settled = offset;
      }
      log.deleteBefore(settled);
    }
  }

  #order({ by, id, at }: Extract<Happening, { kind: 'erase' }>): void {
    const submissions = [submissionId({ source: SOURCE, id: `s-${id}` })];
    const before = new Date(EPOCH + Math.floor(at)).toISOString();
    const consents = [{ consentId: consentName(id), before }];
    const named = by === 'submission' ? { submissions } : { consents };
    this.#ordered += 1;
    const act = `00000000-0000-4000-8000-${String(this.#ordered).padStart(12, '0')}`;
    this.#world.narrate(
      this.#world.scheduler.now,
      'operator',
      `orders to erase ${by === 'submission' ? `s-${id}` : `what came under ${consentName(id)}`}`,
    );
    this.#append(
      controlEntry(
        { type: ERASURE_ORDERED, data: { act, reason: 'a drill', ...named } },
        this.#id(),
        SALT,
      ),
      TOPICS.control,
    );
  }

  #redrive(which: number): void {
    const { oracle, kafka, scheduler, narrate } = this.#world;
    const quarantined = [...oracle.events].filter(([, { outcome }]) => outcome === 'quarantined');
    const [of, event] = quarantined[which % Math.max(1, quarantined.length)] ?? [];
    if (of === undefined || event === undefined) return;
    const { partition, offset } = event.position;
    const stored = kafka.log(TOPICS.samples, partition).at(Number(offset));
    if (stored === undefined || stored.marker !== undefined) return;
    const to = kafka.produce(TOPICS.samples, partition, [
      {
        key: stored.key,
        headers: [
          ...stored.headers.filter(([name]) => name !== REDRIVE_HEADER),
          [REDRIVE_HEADER, Buffer.from(of)],
        ],
        value: stored.value,
      },
    ]);
    narrate(scheduler.now, 'operator', `redrives ${partition}/${offset} as ${partition}/${to}`);
  }

  /** Ends every process of these kinds; each starts again after `RESTART_MS`. */
  #restart(...kinds: readonly (keyof typeof MAINS)[]): void {
    for (const [name, process] of this.#world.processes) {
      if (!kinds.some((kind) => name.startsWith(kind))) continue;
      process.die();
      this.#world.scheduler.after(RESTART_MS, undefined, 'starts again', () => {
        this.#start(name);
      });
    }
  }

  /** An unclean election: the intake partition loses its end. */
  #cut({ partition, records, restarts, again }: Extract<Happening, { kind: 'log-cut' }>): void {
    const world = this.#world;
    const log = world.kafka.log(TOPICS.samples, partition);
    const gone = log.truncate(Math.max(log.start, log.end - records));
    world.narrate(
      world.scheduler.now,
      'world',
      `an unclean election takes the last ${gone.length} records of intake partition ${partition}`,
    );
    if (restarts) this.#restart('router');
    for (const { offset } of gone) world.oracle.cut.add(`${partition}/${offset}`);
    const sent = gone.flatMap(({ headers }) => this.#sent.get(headers) ?? []);
    for (const { index, otherwise } of again) {
      const lost = sent[index % Math.max(1, sent.length)];
      if (lost === undefined) continue;
      const { transaction: _, ...plain } = lost;
      this.#submit({ ...plain, partition, sample: lost.sample + (otherwise ? 1 : 0) });
    }
    for (const code of ['PROGRESS_LOST', 'PROGRESS_DIFFERS', 'LOG_REWOUND', 'LOG_REPLACED'])
      this.#persons.add(code);
  }

  #append({ record }: LogEntry, topic: string): void {
    this.#world.kafka.produce(topic, 0, [record]);
  }

  #id(): string {
    this.#published += 1;
    return `e-${this.#published}`;
  }
}

function rule(region: string, countries: readonly string[]): PolicyRule {
  return {
    id: `${region}-rule`,
    region,
    from: '0000-01-01T00:00:00.000Z',
    countries,
    basis: 'named',
    confidence: 'stated',
    cites: ['SIM'],
  };
}

/** Of every submission. */
const SOURCE = 'urn:sim';

const NOT_FAULTS: ReadonlySet<string> = new Set([
  'erase',
  'submit',
  'grant',
  'withdraw',
  'policy',
  'resume',
]);

function positionOf(partition: number, offset: bigint): string {
  return formatPosition({ log: LOG, topic: TOPICS.samples, partition, offset });
}

function consentName(consent: number): string {
  return `consent-000${consent}`;
}

function jsonEvent(type: string, data: object, id: string): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source: '/sim/consents',
    type,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(data)),
  };
}

function submission(
  id: number,
  sample: number,
  country: string,
  consent: number,
  hostile: Submit['hostile'],
): NewRecord {
  const data = hostile === 'empty' ? Buffer.alloc(0) : Buffer.from(`sample ${sample}`);
  const extensions: Record<string, string> = {
    usercountry: country,
    consentid: hostile === 'no-consent-id' ? '?' : consentName(consent),
    verdict: 'malicious',
    samplesha256: sha256(hostile === 'wrong-digest' ? Buffer.from('other') : data),
  };
  if (hostile === 'classified') extensions.dataclassification = 'secret';
  const event: CloudEvent = {
    specversion: '1.0',
    id: `s-${id}`,
    source: SOURCE,
    type: hostile === 'wrong-type' ? 'something.else.v1' : SUBMITTED,
    datacontenttype: 'application/octet-stream',
    extensions,
    data,
  };
  const { headers, value } = encodeKafkaBinary(event);
  if (hostile === 'no-envelope')
    return { key: null, headers: [], value: Buffer.from([0xff, 0xfe, 0x00]) };
  return { key: null, headers, value: hostile === 'no-value' ? null : value };
}
