import { AvailableSites } from '@residency/availability';
import type { SubmissionLogOptions } from '@residency/adapter-sqlite';
import { DEFAULT_LIMITS } from '@residency/contracts';
import type { Limits } from '@residency/contracts';
import { defined } from '@residency/defined';
import { createRouter, verifyRegions } from '@residency/routing';
import type { Blocked, ConsumeOptions, ControlView, OnStage } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import { raiseFormat } from './data-directory-marker.ts';
import { lockRouting } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';
import { checkEmbeddedLedgers, makeLedgerPlaces } from './embedded-ledger.ts';
import { EmbeddedControlView } from './embedded-control-view.ts';
import { EmbeddedSites } from './embedded-sites.ts';
import type { WrapStore } from './embedded-sites.ts';

export interface RouterOptions {
  /** Aborts opening. */
  readonly signal?: AbortSignal;
  readonly limits?: Limits;
  readonly wrapStore?: WrapStore;
  readonly control?: ControlView;
  readonly onStage?: OnStage;
  /**
   * Called if a ledger has a checkpoint and none is kept apart. A restored older copy cannot be
   * detected then.
   */
  readonly unkept?: () => void;
  /** Called for each later site that cannot be reached at the start. */
  readonly onAway?: (site: string, error: unknown) => void;
  /** A later site is left out, or is used again. */
  readonly onLeftOut?: (site: string, failure: Error | undefined) => void;
}

export interface RunOptions extends ConsumeOptions {
  readonly source?: Partial<SubmissionLogOptions>;
}

/** The router of a data directory. It holds the routing lock, and its sites are verified. */
export interface EmbeddedRouter {
  /** For the custodian, which works under the same lock. */
  readonly sites: EmbeddedSites;
  /**
   * With `until: 'end'`, resolves with the block that stopped it early, if any. Rejects with
   * failures that need a person.
   */
  run(options: RunOptions): Promise<Blocked | undefined>;
  /** Releases the lock. Call after `run` has ended. */
  release(): Promise<void>;
}

/**
 * Throws `ROUTING_LOCKED`, the markers' errors (DESIGN §2.9), `NO_SEALING_KEY` and the errors of
 * `checkEmbeddedLedgers`, before any record is read.
 */
export async function openRouter(
  data: DataDirectory,
  options: RouterOptions = {},
): Promise<EmbeddedRouter> {
  const lock = await lockRouting(data);
  try {
    await raiseFormat(data.path, data.log.name);
    const folders = new EmbeddedSites(data, options.wrapStore ?? ((store) => store));
    const sites = new AvailableSites(folders, {
      now: () => performance.now(),
      ...defined({ onChange: options.onLeftOut }),
    });
    const control = options.control ?? new EmbeddedControlView(data.log);
    await verifyRegions((await data.log.policyView().read()).versions, {
      control: await control.read(),
      sites,
      keys: data.keys,
      ...defined({ away: options.onAway }),
    });
    await makeLedgerPlaces(data);
    const checked = await checkEmbeddedLedgers(
      data,
      options.signal ?? new AbortController().signal,
    );
    if (
      checked.some(
        ({ published, kept }) => published.checkpoint !== undefined && kept === undefined,
      )
    )
      options.unkept?.();
    const route = createRouter({
      control,
      limits: options.limits ?? DEFAULT_LIMITS,
      sealer: new RegionSealer(data.keys),
      sites,
      outcomes: data.log.settledOutcomes(),
      consents: data.log.consentView(),
      policies: data.log.policyView(),
      // One clock stamps all topics (docs/decisions/0003).
      watermarkMarginMs: 0,
      ...defined({ onStage: options.onStage }),
    });
    return {
      sites: folders,
      run: ({ source, ...consume }) => data.log.submissionLog(source).consume(route, consume),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
