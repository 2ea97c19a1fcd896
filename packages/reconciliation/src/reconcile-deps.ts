import type { ClaimedDecision } from './policy-book.ts';
import type { AuditTrail } from './ports/audit-trail.ts';
import type { OpenSealed, ReadSealedHeader } from './ports/sealed-reader.ts';
import type { SiteReader } from './ports/site-reader.ts';

export interface ReconcileDeps {
  /** Every site of every region, each once. */
  readonly sites: readonly SiteReader[];
  /** Names found among the sites that are not sites, such as other folders. */
  readonly foreignSites: readonly string[];
  readonly trail: AuditTrail;
  /**
   * A region's sites in writing order, as that policy version orders them; `undefined` if the
   * version is unknown.
   */
  readonly sitesOf: (policyDigest: string, region: string) => readonly string[] | undefined;
  /** Whether that policy version makes this decision. */
  readonly ruleHolds: (policyDigest: string, claimed: ClaimedDecision) => boolean;
  /**
   * Called before a version counts as unknown. After it, `sitesOf` and `ruleHolds` know every
   * version published before the call. Absent: they know all versions from the start.
   */
  readonly learn?: (policyDigest: string) => Promise<void>;
  readonly readHeader: ReadSealedHeader;
  /** If present, every object is also opened. */
  readonly open?: OpenSealed;
}
