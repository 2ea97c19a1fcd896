import type { ObjectStore, Sites } from '@residency/routing';
import { observed } from './observed-calls.ts';
import type { OnRequest } from './observed-calls.ts';
import type { S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import { S3ObjectStore } from './s3-object-store.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { verifyMarker } from './site-marker.ts';

interface OpenSite {
  readonly calls: S3Calls;
  readonly store: S3ObjectStore;
  /** Absent: not asked for yet, or the last attempt failed. */
  verified?: Promise<void>;
}

export interface S3SitesOptions {
  readonly open?: (settings: S3SiteSettings) => S3Calls;
  readonly onRequest?: OnRequest;
}

/** The sites of a deployment's settings, each verified before its first use. */
export class S3Sites implements Sites {
  readonly #settings: ReadonlyMap<string, S3SiteSettings>;
  readonly #open: (settings: S3SiteSettings) => S3Calls;
  readonly #sites = new Map<string, OpenSite>();

  constructor(
    settings: readonly S3SiteSettings[],
    { open = (one) => new S3Bucket(one), onRequest }: S3SitesOptions = {},
  ) {
    this.#settings = new Map(settings.map((one) => [one.site, one]));
    this.#open = (one) => observed(open(one), one.site, onRequest);
  }

  /** Throws as the port says: `SITE_NOT_CONFIGURED` and what keeps a site from answering with `retry`, a wrong marker or region with `stop`. */
  async store(site: string, region: string): Promise<ObjectStore> {
    const settings = this.#settings.get(site);
    if (settings === undefined) {
      throw new S3Error({
        code: 'SITE_NOT_CONFIGURED',
        message: `Expected settings for site ${site} of region ${region}, which a policy names, found none. Add the site to the deployment's settings and start anew.`,
        remedy: 'retry',
      });
    }
    if (settings.region !== region) {
      throw new S3Error({
        code: 'SITE_REGION_MISMATCH',
        message: `Expected the settings of site ${site} to place it in region ${region}, as a policy does, found region ${settings.region}. Correct the settings, or the policy.`,
        remedy: 'stop',
      });
    }
    const opened = this.#opened(settings);
    opened.verified ??= this.#verify(settings, opened);
    await opened.verified;
    return opened.store;
  }

  /** Drops all connections; what is in work fails with `SITE_UNREACHABLE`. */
  close(): void {
    for (const { store } of this.#sites.values()) store.close();
  }

  #opened(settings: S3SiteSettings): OpenSite {
    let opened = this.#sites.get(settings.site);
    if (opened === undefined) {
      const calls = this.#open(settings);
      opened = { calls, store: new S3ObjectStore(settings, calls) };
      this.#sites.set(settings.site, opened);
    }
    return opened;
  }

  async #verify(settings: S3SiteSettings, opened: OpenSite): Promise<void> {
    try {
      await verifyMarker(settings, opened.calls);
    } catch (error) {
      // What failed is tried again at the next call.
      delete opened.verified;
      throw error;
    }
  }
}
