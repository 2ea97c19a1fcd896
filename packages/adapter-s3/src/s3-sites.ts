import type { ObjectStore, Sites } from '@residency/routing';
import { observed } from './observed-calls.ts';
import type { OnRequest } from './observed-calls.ts';
import type { S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import type { BucketHooks } from './s3-client.ts';
import { S3ObjectStore } from './s3-object-store.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { lookAtSite } from './site-marker.ts';
import { WatchedSites } from './watched-sites.ts';

export interface S3SitesOptions<Calls extends S3Calls = S3Calls> {
  readonly open?: (settings: S3SiteSettings, hooks?: BucketHooks) => Calls;
  readonly onRequest?: OnRequest;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/**
 * The sites of a deployment's settings. Before a site's first use, before the first write after any
 * failure, and once a minute its bucket must have its marker, and refuse to overwrite it.
 */
export class S3Sites implements Sites {
  readonly #sites: WatchedSites<S3Calls, S3ObjectStore>;

  constructor(
    settings: readonly S3SiteSettings[],
    {
      open = (one, hooks) => new S3Bucket(one, hooks),
      onRequest,
      now = () => performance.now(),
    }: S3SitesOptions = {},
  ) {
    this.#sites = new WatchedSites(settings, {
      open: (one, hooks) => observed(open(one, hooks), one.site, onRequest),
      look: lookAtSite,
      use: (one, calls, watch) => new S3ObjectStore(one, calls, { watch }),
      now,
    });
  }

  /**
   * Throws as the port says: `SITE_NOT_CONFIGURED` and what keeps a site from answering with
   * `retry`, a wrong marker or region with `stop`.
   */
  async store(site: string, region: string): Promise<ObjectStore> {
    return await this.#sites.verified(site, region);
  }

  /** Drops all connections; what is in work fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#sites.close();
  }
}
