import { MarkerWatch } from '@residency/contracts';
import type { S3Calls } from './s3-calls.ts';
import type { BucketHooks } from './s3-client.ts';
import { S3Error } from './s3-error.ts';
import type { S3SiteSettings } from './s3-settings.ts';

interface OpenSite<Use> {
  readonly looker: S3Calls;
  readonly use: Use;
  readonly watch: MarkerWatch;
}

export interface WatchedSitesDeps<Calls extends S3Calls, Use> {
  readonly open: (settings: S3SiteSettings, hooks?: BucketHooks) => Calls;
  /** Rejects unless the bucket has the site's marker and its store keeps the conditions of writes. */
  readonly look: (settings: S3SiteSettings, calls: Calls) => Promise<void>;
  readonly use: (settings: S3SiteSettings, calls: Calls, watch: MarkerWatch) => Use;
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
}

/**
 * The sites of a deployment's settings, each opened at its first use. Before that, before the first
 * write after any failure, and once a minute the site is looked at, over a connection of its own.
 */
export class WatchedSites<Calls extends S3Calls, Use extends { close(): void }> {
  readonly #settings: ReadonlyMap<string, S3SiteSettings>;
  readonly #deps: WatchedSitesDeps<Calls, Use>;
  readonly #sites = new Map<string, OpenSite<Use>>();

  constructor(settings: readonly S3SiteSettings[], deps: WatchedSitesDeps<Calls, Use>) {
    this.#settings = new Map(settings.map((one) => [one.site, one]));
    this.#deps = deps;
  }

  /**
   * Throws `SITE_NOT_CONFIGURED` and what keeps a site from answering with `retry`,
   * `SITE_REGION_MISMATCH` and what the look finds with `stop`.
   */
  async verified(site: string, region: string): Promise<Use> {
    const { use, watch } = this.#opened(this.#settingsOf(site, region));
    await watch.fresh();
    return use;
  }

  /** Drops all connections; what is in work fails with `SITE_UNREACHABLE`. */
  close(): void {
    for (const { looker, use } of this.#sites.values()) {
      looker.close();
      use.close();
    }
  }

  #settingsOf(site: string, region: string): S3SiteSettings {
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
    return settings;
  }

  #opened(settings: S3SiteSettings): OpenSite<Use> {
    let opened = this.#sites.get(settings.site);
    if (opened === undefined) {
      opened = this.#openSite(settings);
      this.#sites.set(settings.site, opened);
    }
    return opened;
  }

  #openSite(settings: S3SiteSettings): OpenSite<Use> {
    const { open, look, use, now } = this.#deps;
    // Of its own: writes that wait for a look hold all of the others' connections.
    const looker = open({ ...settings, maxSockets: 1 });
    const watch = new MarkerWatch(
      async () => {
        // A name may lead elsewhere than it did: the look is at where new connections go, and no
        // write uses an older one.
        looker.renew();
        await look(settings, looker);
        calls.renew();
      },
      { now },
    );
    const calls = open(settings, {
      beforeWrite: () => watch.fresh(),
      failed: () => {
        watch.doubt();
      },
    });
    return { looker, watch, use: use(settings, calls, watch) };
  }
}
