import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';
import type { Loss } from './script.ts';

/** Destroys a site, and gives it an empty bucket later. */
export class SiteLoss {
  readonly #stack: OwnStack;
  readonly #site: TestSite;
  readonly #bucket: string;
  #made = 0;

  constructor(stack: OwnStack, { buckets }: Deployment, site: TestSite) {
    this.#stack = stack;
    this.#site = site;
    this.#bucket = join(stack.folder, site, buckets[site]);
  }

  async destroy(loss: Loss): Promise<void> {
    const server = this.#stack.servers.sites[this.#site];
    if (loss === 'killed') await server.kill();
    if (loss === 'hangs') server.freeze();
    await this.#removeBucket();
    if (loss === 'empty bucket') await mkdir(this.#bucket);
  }

  /** An empty bucket; the server answers. */
  async giveEmpty(): Promise<void> {
    const server = this.#stack.servers.sites[this.#site];
    await server.kill();
    await this.#removeBucket();
    await mkdir(this.#bucket);
    await server.start();
  }

  /** In one step, so that no write meets half a bucket. A late write may make the folder anew. */
  async #removeBucket(): Promise<void> {
    const away = join(this.#stack.folder, `lost-${this.#site}-${process.pid}-${(this.#made += 1)}`);
    try {
      await rename(this.#bucket, away);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await rm(away, { recursive: true, force: true, maxRetries: 5 });
  }
}
