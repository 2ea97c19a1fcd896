import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemSiteReader } from '@residency/adapter-filesystem';
import type { LogEntry } from '@residency/contracts';
import { formatPosition } from '@residency/contracts';
import { reconcile } from '@residency/reconciliation';
import type { ReconciliationReport } from '@residency/reconciliation';
import type { Blocked } from '@residency/routing';
import { openSealed, readSealedHeader } from '@residency/sealing';
import { openDataDirectory, openRouter } from '@residency/standalone';
import type { DataDirectory, RoutingOptions } from '@residency/standalone';

/** A data directory that others are copied from: making keys takes long. */
export class DataCopies {
  readonly #root: string;
  #made = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(entries: readonly LogEntry[]): Promise<DataCopies> {
    const copies = new DataCopies(await mkdtemp(join(tmpdir(), 'residency-proof-')));
    await withData(copies.template, async ({ log }) => { await log.append(entries); });
    return copies;
  }

  get template(): string {
    return join(this.#root, 'template');
  }

  /** Runs `work` on a copy that is gone afterwards. */
  async each<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = join(this.#root, `copy-${this.#made += 1}`);
    await cp(this.template, directory, { recursive: true });
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async remove(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}

export async function withData<T>(directory: string, work: (data: DataDirectory) => Promise<T>): Promise<T> {
  const data = await openDataDirectory(directory);
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}

/** Routes all that waits, as `residency route --once` does; what blocked it, if anything. */
export async function routeAll(data: DataDirectory, source: RoutingOptions['source'] = {}): Promise<Blocked | undefined> {
  const router = await openRouter(data, { until: 'end', signal: new AbortController().signal, source });
  try {
    return await router.run();
  } finally {
    await router.release();
  }
}

/** `residency reconcile --open`. */
export async function reconcileOpening(data: DataDirectory): Promise<ReconciliationReport> {
  const { versions } = await data.log.policyView().read();
  const sites = new Set(versions.flatMap(({ document }) => document.regions.flatMap((region) => region.sites)));
  const position = formatPosition({ log: data.log.name, topic: 'threat.samples', partition: 0, offset: 0n });
  return await reconcile({
    sites: [...sites].map((site) => new FilesystemSiteReader(data.sitePath(site), site)),
    trail: {
      events: () => data.log.auditRecords(),
      committed: async () => new Map([[position.slice(0, position.lastIndexOf('/')), await data.log.committed() ?? -1n]]),
    },
    sitesOf: (digest, region) => versions.find((version) => version.digest === digest)?.document.regions.find(({ id }) => id === region)?.sites,
    readHeader: readSealedHeader,
    open: async (message, region) => await openSealed(message, region, await data.keys.privateKeys(region)),
  });
}
