import { setTimeout as sleep } from 'node:timers/promises';
import type { CustodianSite } from '@residency/custodianship';
import { requireErasable } from './erasure-probe.ts';
import { observedPurging } from './observed-calls.ts';
import type { PurgingCalls } from './s3-calls.ts';
import { S3Bucket } from './s3-client.ts';
import { S3CustodianSite } from './s3-custodian-site.ts';
import type { S3SiteSettings } from './s3-settings.ts';
import type { S3SitesOptions } from './s3-sites.ts';
import { lookAtReplacingSite } from './site-marker.ts';
import { WatchedSites } from './watched-sites.ts';

/**
 * A custodian's sites. As `S3Sites`, and each look also requires that the bucket has no object lock, and
 * that the store refuses to replace an object if the condition (`If-Match`) does not hold. The first look
 * also requires that the credentials may erase. Credentials that may not any more, later, keep erasures
 * waiting and nothing else.
 */
export class S3CustodianSites {
  readonly #sites: WatchedSites<PurgingCalls, S3CustodianSite>;
  readonly #erasable = new Set<string>();

  constructor(
    settings: readonly S3SiteSettings[],
    {
      open = (one, hooks) => new S3Bucket(one, hooks),
      onRequest,
      now = () => performance.now(),
    }: S3SitesOptions<PurgingCalls> = {},
  ) {
    this.#sites = new WatchedSites(settings, {
      open: (one, hooks) => observedPurging(open(one, hooks), one.site, onRequest),
      look: (one, calls) => this.#look(one, calls),
      use: (one, calls, watch) => new S3CustodianSite(one, calls, { watch }),
      now,
    });
  }

  /**
   * Throws `SITE_NOT_CONFIGURED` and what keeps a site from answering with `retry`; a wrong marker or
   * region, `SITE_LOCKED`, `SITE_NOT_CREATE_ONLY`, `SITE_NOT_CONDITIONAL` and `SITE_NOT_ERASABLE` with `stop`.
   */
  async site(site: string, region: string): Promise<CustodianSite> {
    return await this.#sites.verified(site, region);
  }

  /** Drops all connections; what is in work fails with `SITE_UNREACHABLE`. */
  close(): void {
    this.#sites.close();
  }

  async #look(settings: S3SiteSettings, calls: PurgingCalls): Promise<void> {
    await lookAtReplacingSite(settings, calls);
    if (this.#erasable.has(settings.site)) return;
    await requireErasable(calls, settings.site, sleep);
    this.#erasable.add(settings.site);
  }
}
