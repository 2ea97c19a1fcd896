import { auditEventIn, formatPosition, isStoredIn } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import { evolveHolding, owedSites } from '@residency/custody';
import type { Holding } from '@residency/custody';
import type { CustodyHead } from './custody-head.ts';
import { debtOf } from './debt.ts';
import type { Debt } from './debt.ts';
import { Debts } from './debts.ts';
import { auditDigest } from './open-register.ts';
import type { Register } from './register-format.ts';
import { StoredKeys } from './stored-keys.ts';
import { UnsettledOwners } from './unsettled-owners.ts';
import type { AuditFeedRecord } from './ports/audit-feed.ts';
import type { CustodyReading } from './ports/custody-log.ts';

type SavedFold = Pick<Register, 'sites' | 'debts' | 'stored' | 'owners' | 'audit'>;

export interface AuditFoldOptions {
  readonly region: string;
  readonly head: Pick<CustodyHead<CustodyReading>, 'copyIn' | 'isErased' | 'isErasedIn' | 'isLost'>;
  /** Kept, and changed. Absent: nothing was read. */
  readonly saved?: Pick<SavedFold, 'sites'> & Partial<SavedFold>;
  /** The last record of each partition that `saved` was made from. */
  readonly last?: ReadonlyMap<number, AuditFeedRecord> | undefined;
}

/** A copy whose event names another ciphertext or sample than its `stored` event. */
export type OnDiffers = (copy: { readonly site: string; readonly position: string }) => void;

/** What the audit log says about a region's samples, as far as it was read. */
export class AuditFold {
  /** Copies that `sites` lack. */
  readonly debts: Debts;
  readonly stored: StoredKeys;
  readonly owners: UnsettledOwners;
  readonly #region: string;
  readonly #head: AuditFoldOptions['head'];
  /** The last record that was read, by partition. */
  readonly #last: Map<number, AuditFeedRecord>;
  #sites: readonly string[];

  constructor({ region, head, saved, last }: AuditFoldOptions) {
    this.#region = region;
    this.#head = head;
    this.#sites = saved?.sites ?? [];
    this.debts = new Debts(saved?.debts);
    this.stored = new StoredKeys(saved?.stored);
    this.owners = new UnsettledOwners(region, saved?.owners);
    this.#last = new Map(last);
  }

  get sites(): readonly string[] {
    return this.#sites;
  }

  /** Partitions of which something was read. */
  get partitions(): readonly number[] {
    return [...this.#last.keys()];
  }

  /** The next record to read. */
  next(partition: number): bigint {
    const last = this.#last.get(partition);
    return last === undefined ? 0n : last.offset + 1n;
  }

  /** Begins anew, with these sites: everything is to be read once more. What is stored stays stored. */
  restart(sites: readonly string[]): void {
    this.#sites = sites;
    this.#last.clear();
    this.debts.clear();
  }

  /** Call in the order of a partition. */
  follow(partition: number, record: AuditFeedRecord, differs?: OnDiffers): void {
    const { offset, value } = record;
    const event = auditEventIn(value);
    if (event !== undefined) this.owners.see(event);
    if (isStoredIn(this.#region, event)) {
      this.stored.add(partition, offset, event.data.submission);
      const debt = this.held(debtOf(event, partition, offset), differs);
      for (const site of this.owing(debt)) this.debts.add(site, partition, offset, debt.at);
    }
    this.#last.set(partition, record);
  }

  /** With what custody events say of it. */
  held(debt: Debt, differs?: OnDiffers): Debt {
    const isErased = this.#head.isErased(debt.holding.position);
    const isLost = this.#head.isLost(debt.holding.position);
    const holding = isErased || isLost ? debt.holding : this.withCopies(debt.holding, { differs });
    return { ...debt, holding, isErased, isLost };
  }

  /** The sites that owe a copy or, if the sample was erased, a tombstone. */
  owing({ holding, isErased, isLost }: Debt): readonly string[] {
    if (isErased)
      return this.#sites.filter((site) => !this.#head.isErasedIn(site, holding.position));
    return isLost ? [] : owedSites(holding, this.#sites);
  }

  /** A site has a tombstone in the place of the sample, by the events. */
  isErased({ position }: StoredEvent): boolean {
    return this.#head.isErased(formatPosition(position));
  }

  /** The sample was given up, by the events. */
  isLost({ position }: StoredEvent): boolean {
    return this.#head.isLost(formatPosition(position));
  }

  /** With the copies that custody events gave these sites; absent: those of this fold. */
  withCopies(
    stored: Holding,
    {
      sites = this.#sites,
      differs,
    }: { readonly sites?: readonly string[]; readonly differs?: OnDiffers | undefined } = {},
  ): Holding {
    let holding = stored;
    const { position, submission, region, sealedSha256, sealedBytes } = holding;
    for (const site of sites) {
      const found = this.#head.copyIn(site, holding);
      if (found === 'differs') differs?.({ site, position });
      if (found !== 'copied') continue;
      const copy = { site, sealedSha256, sealedBytes };
      ({ holding } = evolveHolding(holding, {
        type: 'copied',
        of: position,
        submission,
        region,
        copy,
        isRepair: true,
      }));
    }
    return holding;
  }

  /** Not a copy: the arrays change with this instance. */
  save(): SavedFold {
    return {
      sites: this.#sites,
      debts: this.debts.save(),
      stored: this.stored.save(),
      owners: this.owners.save(),
      audit: [...this.#last].map(([partition, record]) => ({
        partition,
        offset: record.offset,
        digest: auditDigest(record),
      })),
    };
  }
}
