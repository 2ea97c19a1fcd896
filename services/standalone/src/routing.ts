import type { SubmissionLogOptions } from '@residency/adapter-sqlite';
import { DEFAULT_LIMITS } from '@residency/contracts';
import type { Limits } from '@residency/contracts';
import { createRouter, pausable, verifyRegions } from '@residency/routing';
import type { Blocked, ConsumeOptions, ControlView, OnStage } from '@residency/routing';
import { EncryptionSdkSealer } from '@residency/sealing';
import { lockRouting } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';
import { EmbeddedControlView } from './embedded-control-view.ts';
import { EmbeddedSites } from './embedded-sites.ts';
import type { WrapStore } from './embedded-sites.ts';

export interface RoutingOptions extends ConsumeOptions {
  readonly limits?: Limits;
  readonly source?: Partial<SubmissionLogOptions>;
  readonly wrapStore?: WrapStore;
  readonly control?: ControlView;
  readonly onStage?: OnStage;
}

/** A data directory's router, holding its lock, its sites verified. */
export interface EmbeddedRouter {
  /** What stopped it early, where `until` is `end`. Rejects with what needs a person. */
  run(): Promise<Blocked | undefined>;
  /** Gives the lock back; after `run` has ended. */
  release(): Promise<void>;
}

/** Throws `ROUTING_LOCKED`, the markers' errors (DESIGN §2.9) and `NO_SEALING_KEY`, before any record is read. */
export async function openRouter(
  data: DataDirectory,
  options: RoutingOptions,
): Promise<EmbeddedRouter> {
  const lock = await lockRouting(data);
  try {
    const sites = new EmbeddedSites(data, options.wrapStore ?? ((store) => store));
    await verifyRegions((await data.log.policyView().read()).versions, { sites, keys: data.keys });
    const route = createRouter({
      limits: options.limits ?? DEFAULT_LIMITS,
      sealer: new EncryptionSdkSealer(data.keys),
      sites,
      consents: data.log.consentView(),
      policies: data.log.policyView(),
      // One clock stamps all topics (docs/decisions/0003).
      watermarkMarginMs: 0,
      ...(options.onStage === undefined ? {} : { onStage: options.onStage }),
    });
    const control = options.control ?? new EmbeddedControlView(data.log);
    const log = data.log.submissionLog(options.source);
    return {
      run: () => log.consume(pausable(route, control), options),
      release: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
