import {
  ServiceHistory,
  auditEventIn,
  erasable,
  formatPosition,
  namedOwner,
  parsePosition,
} from '@residency/contracts';
import type { AuditEvent, StoredEvent } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import type { Committed } from '../audit-chain.ts';
import type { DuplicateEvent } from '../check-object.ts';
import type { Claims } from '../claims.ts';
import { learn } from '../decided-sites.ts';
import type { Difference } from '../difference.ts';
import { judgeDecision } from '../judge-decision.ts';
import { QuarantinePointers } from '../quarantine-pointers.ts';
import type { Run } from '../run.ts';
import { whereaboutsOf } from '../whereabouts.ts';
import { judgeFindings } from './custody-reading.ts';
import { References } from './references.ts';
import { judgeSecondStored } from './second-stored.ts';
import type { SecondStored } from './second-stored.ts';
import { readSetAside } from './set-aside-reading.ts';
import type { SetAsideSample } from './set-aside-reading.ts';

/** Each is one reading of the control log, and events cause them. */
const MOST_REREADS = 100;

/** Reads all audit events once, without their objects, and judges the audit trail. */
export class FirstReading {
  readonly #run: Run;
  readonly #claims: Claims;
  readonly #references: References;
  readonly #pointers = new QuarantinePointers();
  /** Sites that events name but that this run does not read. */
  readonly #unread = new Set<string>();
  /**
   * Duplicates whose events name copies, by position. There is one for each object that a site
   * lost, not for each duplicate.
   */
  readonly #copies = new Map<string, DuplicateEvent>();
  /** By the number of the site, and the submission. */
  readonly #setAside = new Map<number, Map<string, SetAsideSample>>();
  /** Stored events of an identity that another one claims. */
  readonly #again: SecondStored[] = [];
  #services: ServiceHistory | undefined;
  #rereads = 0;

  constructor(run: Run, claims: Claims) {
    this.#run = run;
    this.#claims = claims;
    this.#references = new References(run, claims);
  }

  /** The duplicate event of that position, if it names copies. */
  duplicateWithCopies(position: string): DuplicateEvent | undefined {
    return this.#copies.get(position);
  }

  async readEvents(): Promise<void> {
    for await (const bytes of this.#run.deps.trail.events()) await this.#follow(bytes);
  }

  /**
   * Call after `readEvents`. Checks what needs the whole trail: pointers, look-up tables, progress,
   * references.
   */
  async judgeTrail(before: Committed): Promise<void> {
    const {
      report,
      chain,
      deps: { trail },
    } = this.#run;
    for await (const bytes of trail.pointers()) {
      const invalid = this.#pointers.addPointer(bytes);
      if (invalid !== undefined) report.add(invalid);
    }
    for await (const position of trail.lookupDifferences()) {
      report.add({
        code: 'LOOKUP_DIFFERS',
        position,
        message:
          "Expected the log's look-up tables to say of each audit event what the event says, found otherwise; what is listed or looked up by them misleads.",
      });
    }
    const after = await trail.committed();
    for (const difference of chain.mismatches(before, after)) report.add(difference);
    for (const difference of this.#pointers.differences(chain, after)) report.add(difference);
    // A new end: RECONCILIATION §18.
    await this.#references.judge(before, await trail.end());
  }

  /** Call after `readEvents`. */
  async judgeAgain(): Promise<void> {
    await judgeSecondStored(this.#run, this.#again);
  }

  /** Call after `readEvents`. */
  async judgeSetAside(): Promise<void> {
    await readSetAside(this.#run, this.#setAside);
  }

  async #follow(bytes: Buffer): Promise<void> {
    const { report, chain } = this.#run;
    const event = auditEventIn(bytes);
    if (event === undefined) {
      report.add({
        code: 'AUDIT_EVENT_INVALID',
        message:
          'Expected an audit event as in docs/formats/audit-event.md, found a record that is none; see who else may write to the audit log.',
      });
      return;
    }
    const broken = chain.follow(event);
    if (broken !== undefined) report.add(broken);
    if (broken?.code === 'POSITION_TWICE') return;
    report.events[event.outcome] += 1;
    if (event.outcome === 'stored') await this.#followStored(event);
    if (event.outcome === 'quarantined') this.#pointers.addEvent(event.position);
    if (event.outcome === 'duplicate' && event.data.placements !== undefined)
      this.#copies.set(formatPosition(event.position), event);
    this.#followOwner(event);
  }

  /** An order that came after the control log was read may explain the placements. */
  async #decision(event: StoredEvent): Promise<readonly Difference[]> {
    const { deps } = this.#run;
    this.#services ??= (await deps.services?.()) ?? new ServiceHistory();
    const found = [...judgeDecision(deps, event, this.#services)];
    if (deps.services === undefined || this.#rereads >= MOST_REREADS) return found;
    if (!found.some(({ code }) => code === 'PLACEMENTS_INCOMPLETE')) return found;
    this.#rereads += 1;
    this.#services = await deps.services();
    return [...judgeDecision(deps, event, this.#services)];
  }

  async #followStored(event: StoredEvent): Promise<void> {
    const { report, deps, sites, onStored } = this.#run;
    const { submission, decision, placements } = event.data;
    await learn(deps, decision.policy.digest, decision.region);
    for (const difference of await this.#decision(event)) report.add(difference);
    const whereabouts = whereaboutsOf(this.#run, event);
    for (const difference of judgeFindings(whereabouts, submission)) report.add(difference);
    for (const site of whereabouts.owed) report.owes(site);
    this.#noteUnread(whereabouts.sites);
    const { erased, lost } = whereabouts.holding;
    if (erased !== undefined) await this.#followErased(event, whereabouts.holding);
    await onStored(event, erased !== undefined || lost !== undefined);
    const places = {
      sites: sites.numbersOf(whereabouts.sites),
      region: sites.numbersOf(deps.regions().get(decision.region) ?? []),
    };
    const position = formatPosition(event.position);
    if (lost !== undefined) {
      // It keeps no later record from being stored: RECONCILIATION §32.
      this.#claims.addLost(submission, event.position, places);
      await this.#followLost(event, lost.order);
      if (erased === undefined) report.lost += 1;
      return;
    }
    const claim = this.#claims.addStored(submission, event.position, places);
    if (claim === 'elsewhere') report.alsoIn.add({ submission, position, region: decision.region });
    if (claim === 'again') this.#again.push({ position, submission, region: decision.region });
    for (const { adopted } of placements) {
      if (adopted !== undefined)
        this.#references.addAdopted(submission, event.position, parsePosition(adopted.position));
    }
  }

  async #followLost(event: StoredEvent, order: string): Promise<void> {
    const { report, orders } = this.#run;
    const sample = erasable(event);
    if (await orders.givesUp(order, sample)) return;
    report.add({
      code: 'LOST_WITHOUT_ORDER',
      position: formatPosition(event.position),
      submission: sample.submission,
      message:
        'Expected the event that a sample is lost to name an order of the control log about it, found none; see who else may write to the custody log.',
    });
  }

  async #followErased(event: StoredEvent, holding: Holding): Promise<void> {
    const { report, orders, sites } = this.#run;
    const { erased } = holding;
    const sample = erasable(event);
    const { submission } = sample;
    const position = formatPosition(event.position);
    if (erased !== undefined && !(await orders.names(erased.order, sample)))
      report.add({
        code: 'ERASED_WITHOUT_ORDER',
        position,
        submission,
        message:
          'Expected the event of an erasure to name an order of the control log about its sample, found none; see who else may write to the custody log, and whether the sample was to be erased.',
      });
    for (const number of sites.numbersOf(erased?.sites ?? [])) {
      if (!this.#claims.isSetAside(submission, number)) continue;
      const samples = this.#setAside.get(number) ?? new Map<string, SetAsideSample>();
      this.#setAside.set(number, samples.set(submission, { sample, position, holding }));
    }
  }

  #noteUnread(named: readonly string[]): void {
    const { report, sites } = this.#run;
    for (const site of named) {
      if (sites.numberOf(site) !== undefined || this.#unread.has(site)) continue;
      this.#unread.add(site);
      report.add({
        code: 'SITE_NOT_READ',
        site,
        message:
          'Expected to be able to read every site that events name, found one that is not configured here; its objects were not checked.',
      });
    }
  }

  #followOwner(event: AuditEvent): void {
    const owner = namedOwner(event);
    const { submission } = event.data;
    if (owner === undefined || submission === undefined) return;
    this.#references.addOwner(
      event.outcome === 'duplicate' ? 'duplicate' : 'conflict',
      submission,
      formatPosition(event.position),
      parsePosition(owner.of),
    );
  }
}
