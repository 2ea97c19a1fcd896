import type { Erasures, LossOrder, ServiceHistory } from '@residency/contracts';
import type { PolicyQuestions } from './policy-book.ts';
import type { AuditTrail } from './ports/audit-trail.ts';
import type { OpenSealed, ReadSealedHeader } from './ports/sealed-reader.ts';
import type { SiteReader } from './ports/site-reader.ts';

export interface ReconcileDeps extends PolicyQuestions {
  /** Every site of every region, each once. */
  readonly sites: readonly SiteReader[];
  /** Names found among the sites that are not sites, such as other folders. */
  readonly foreignSites: readonly string[];
  readonly trail: AuditTrail;
  /** The control log up to now, read anew at each call. Absent: every site always serves. */
  readonly services?: () => Promise<ServiceHistory>;
  /**
   * The orders of the control log up to now, read anew at each call. Absent: no order is compared.
   */
  readonly erasures?: () => Promise<Erasures>;
  /** The same, of the orders to give samples up. */
  readonly losses?: () => Promise<readonly LossOrder[]>;
  readonly readHeader: ReadSealedHeader;
  /** If present, every object is also opened. */
  readonly open?: OpenSealed;
}
