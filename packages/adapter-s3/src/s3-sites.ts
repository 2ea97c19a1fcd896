import { MarkerWatch } from '@residency/contracts';
import type { ObjectStore, Sites } from '@residency/routing';
import { observed } from './observed-calls.ts';
import type { OnRequest } from './observed-calls.ts';
import type { S3Calls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import type { BucketHooks } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import { S3ObjectStore } from './s3-object-store.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import { lookAtSite } from './site-marker.ts';

interface OpenSite {
  readonly looker: S3Calls;
  readonly store: S3ObjectStore;
  readonly watch: MarkerWatch;
}

export interface S3SitesOptions {
  readonly open?: (settings: S3SiteSettings, hooks?: BucketHooks) => S3Calls;
  readonly onRequest?: OnRequest;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/**
 * The sites of a deployment's settings. Before a site's first use, before the first write after any
 * failure, and once a minute its bucket must have its marker, and refuse to overwrite it.
 */
export class S3Sites implements Sites {
  readonly #settings: ReadonlyMap<string, S3SiteSettings>;
  readonly #open: (settings: S3SiteSettings, hooks?: BucketHooks) => S3Calls;
  readonly #now: () => number;
  readonly #sites = new Map<string, OpenSite>();

  constructor(
    settings: readonly S3SiteSettings[],
    {
      open = (one, hooks) => new S3Bucket(one, hooks),
      onRequest,
      now = () => performance.now(),
    }: S3SitesOptions = {},
  ) {
    this.#settings = new Map(settings.map((one) => [one.site, one]));
    this.#open = (one, hooks) => observed(open(one, hooks), one.site, onRequest);
    this.#now = now;
  }

  /**
   * Throws as the port says: `SITE_NOT_CONFIGURED` and what keeps a site from answering with
   * `retry`, a wrong marker or region with `stop`.
   */
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
    const { store, watch } = this.#opened(settings);
    await watch.fresh();
    return store;
  }

  /** Drops all connections; what is in work fails with `SITE_UNREACHABLE`. */
  close(): void {
    for (const { looker, store } of this.#sites.values()) {
      looker.close();
      store.close();
    }
  }

  #opened(settings: S3SiteSettings): OpenSite {
    let opened = this.#sites.get(settings.site);
    if (opened === undefined) {
      opened = this.#openSite(settings);
      this.#sites.set(settings.site, opened);
    }
    return opened;
  }

  #openSite(settings: S3SiteSettings): OpenSite {
    // Of its own: writes that wait for a look hold all of the others' connections.
    const looker = this.#open({ ...settings, maxSockets: 1 });
    const watch = new MarkerWatch(
      async () => {
        // A name may lead elsewhere than it did: the look is at where new connections go, and no
        // write uses an older one.
        looker.renew();
        await lookAtSite(settings, looker);
        calls.renew();
      },
      { now: this.#now },
    );
    const calls = this.#open(settings, {
      beforeWrite: () => watch.fresh(),
      failed: () => {
        watch.doubt();
      },
    });
    return { looker, watch, store: new S3ObjectStore(settings, calls, { watch }) };
  }
}
