import type { LogEntry } from '@residency/contracts';
import type { CustodyRow } from '../cluster/custody-rows.ts';
import type { ClusterTally } from '../cluster/tally.ts';
import type { Finished } from '../../e2e/residency.ts';
import type { AuditRow, IntakeRow } from '../on-disk.ts';
import type { DamageTraffic } from './damage-traffic.ts';

/** A running system whose sites are folders that the proof can reach. */
export interface DamageWorld {
  append(entries: readonly LogEntry[]): Promise<unknown>;
  /** The number of records that are not settled. */
  waiting(): Promise<number>;
  /** Until no site owes a copy. */
  paid(): Promise<void>;
  /** A site's folder. */
  root(site: string): string;
  /** Where the format puts an object of it, below `root`. */
  place(submission: string): string;
  /** Runs a command of the product on it. */
  residency(...args: readonly string[]): Promise<Finished>;
  /** Lets reconciliation order repairs by itself until the returned function was called. */
  reconcileAutomatically(): Promise<() => Promise<void>>;
  /** Read by others' programs. */
  logs(): Promise<{ readonly intake: readonly IntakeRow[]; readonly audit: readonly AuditRow[] }>;
  /** Of the region whose site is broken, in order; read by others' programs. */
  custody(): Promise<readonly CustodyRow[]>;
  describe(): Promise<string>;
  /** Ends the services and judges everything. */
  judge(traffic: DamageTraffic, tally: ClusterTally, seed: number): Promise<void>;
}
