import type { StoredEvent } from '@residency/contracts';
import { AuditChain } from './audit-chain.ts';
import { BoundedWork } from './bounded-work.ts';
import { Claims } from './claims.ts';
import { CustodyIndex } from './custody-index.ts';
import type { Difference } from './difference.ts';
import { OrderBook } from './order-book.ts';
import { judgeUnmet, readCustody } from './passes/custody-reading.ts';
import { FirstReading } from './passes/first-reading.ts';
import { judgeUnclaimed } from './passes/judge-unclaimed.ts';
import { readObjects } from './passes/second-reading.ts';
import { SiteLists } from './passes/site-lists.ts';
import type { ReadingProgress } from './ports/reading-progress.ts';
import { ReachableSites } from './reachable-sites.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import { ReportDraft } from './report.ts';
import type { ReconciliationReport } from './report.ts';
import type { Run } from './run.ts';
import { UNKNOWN_BYTES } from './unknown-bytes.ts';

export interface ReconcileOptions {
  /** The greatest number of objects read concurrently. */
  readonly concurrency?: number;
  /** The approximate greatest sum of their bytes. */
  readonly bytesInWork?: number;
  /** The greatest number of differences, and of notes, that are listed. All are counted. */
  readonly maxListed?: number;
  /**
   * Called with the number of objects so far: first while listing, without `total`, then while
   * checking.
   */
  readonly onProgress?: (done: number, total?: number) => void;
  /** Called for each difference as soon as it is found. */
  readonly onDifference?: (difference: Difference) => void;
  /**
   * Awaited for each stored event, before its objects are read. `isGone`: a custody event says that the
   * sample was erased, or given up as lost. Must not reject.
   */
  readonly onStored?: (event: StoredEvent, isGone: boolean) => Promise<void>;
  /**
   * Called after all differences were reported that need no object of a stored event. That takes
   * minutes; reading the objects may take days.
   */
  readonly onSurveyed?: () => void;
  /**
   * Called once for a site that fails with remedy `retry`; the run leaves it out from then on.
   * Absent: the error ends the run.
   */
  readonly onSiteUnreachable?: (site: string, error: unknown) => void;
  /** Sites that are known to be unreachable; the run leaves them out from the start. */
  readonly unreachable?: Iterable<string>;
  readonly progress?: ReadingProgress;
  /**
   * Called before each stored event whose objects are to be read. `true` ends the run there; its
   * report then covers the work so far.
   */
  readonly enough?: () => boolean;
}

const DEFAULTS = { concurrency: 16, bytesInWork: 4 * UNKNOWN_BYTES, maxListed: 1_000 };
const FROM_THE_START: ReadingProgress = { isChecked: () => false, begins: () => () => undefined };

/**
 * Compares the objects in the sites with the audit events, while routers run.
 * docs/reconciliation.md shows why it reports no work in progress; the order of the readings is
 * RECONCILIATION §6. Memory: `Claims` until `onSurveyed`; `CustodyIndex`; objects in work; capped
 * lists; one entry for each duplicate whose original was not read yet, for each copy or adopted
 * object, for each copy whose custody event was not read yet, for each erased sample of which something was
 * set aside, and for each quarantined event.
 * Rejects with a port's error, because half a reconciliation proves nothing.
 */
export async function reconcile(
  deps: ReconcileDeps,
  options: ReconcileOptions = {},
): Promise<ReconciliationReport> {
  const run = begin(deps, options);
  await survey(run);
  // Everything that needs no object of a stored event: RECONCILIATION §12.
  options.onSurveyed?.();
  await readObjects(run, {
    progress: options.progress ?? FROM_THE_START,
    enough: options.enough ?? (() => false),
  });
  return run.report.finish();
}

function begin(deps: ReconcileDeps, options: ReconcileOptions): Run {
  const report = new ReportDraft(
    options.maxListed ?? DEFAULTS.maxListed,
    options.onDifference ?? (() => undefined),
  );
  let done = 0;
  return {
    deps,
    report,
    sites: new ReachableSites(deps.sites, options),
    chain: new AuditChain(),
    custody: new CustodyIndex(),
    orders: new OrderBook(deps),
    work: new BoundedWork({
      concurrency: options.concurrency ?? DEFAULTS.concurrency,
      bytes: options.bytesInWork ?? DEFAULTS.bytesInWork,
    }),
    onStored: options.onStored ?? (() => Promise.resolve()),
    listed: () => {
      report.objects += 1;
      options.onProgress?.(report.objects);
    },
    judged: () => {
      done += 1;
      options.onProgress?.(done, Math.max(done, report.objects));
    },
  };
}

/** Reads the lists, and all events once. Most of the memory is released after it. */
async function survey(run: Run): Promise<void> {
  const { trail, sites } = run.deps;
  const claims = new Claims(sites.length);
  const lists = new SiteLists(run, claims);
  const reading = new FirstReading(run, claims);
  await lists.read();
  const end = await trail.end();
  // Read after the lists and before the events: RECONCILIATION §9.
  const before = await trail.committed();
  // Read after the lists and before the events: RECONCILIATION §21.
  await readCustody(run);
  await reading.readEvents();
  judgeUnmet(run);
  await reading.judgeTrail(before);
  await reading.judgeAgain();
  await reading.judgeSetAside();
  await judgeUnclaimed(run, {
    claims,
    duplicateWithCopies: (position) => reading.duplicateWithCopies(position),
    before,
    end,
  });
  await lists.judgeForeign();
}
