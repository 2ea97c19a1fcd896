import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilesystemSiteReader } from '@residency/adapter-filesystem';
import type { LogEntry, Topic } from '@residency/contracts';
import { TOPICS, custodyTopic, formatPosition } from '@residency/contracts';
import { reconcile, sitesByRegion } from '@residency/reconciliation';
import type { ReconciliationReport } from '@residency/reconciliation';
import type { Blocked } from '@residency/routing';
import { decide, settleWith } from '@residency/residency';
import { PemUnwrapper, openSealed, readSealedHeader } from '@residency/sealing';
import { openDataDirectory, openRouter, payOnce } from '@residency/standalone';
import type { DataDirectory, RunOptions } from '@residency/standalone';

/** A data directory from which others are copied, because making keys takes long. */
export class DataCopies {
  readonly #root: string;
  #made = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(entries: readonly LogEntry[]): Promise<DataCopies> {
    const copies = new DataCopies(await mkdtemp(join(tmpdir(), 'residency-proof-')));
    await withData(copies.template, async ({ log }) => {
      await log.append(entries);
    });
    return copies;
  }

  get template(): string {
    return join(this.#root, 'template');
  }

  /** Runs `work` on a copy that is removed afterwards. */
  async each<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = join(this.#root, `copy-${(this.#made += 1)}`);
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

export async function withData<T>(
  directory: string,
  work: (data: DataDirectory) => Promise<T>,
): Promise<T> {
  const data = await openDataDirectory(directory);
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}

/**
 * Routes all waiting records, as `residency route --once` does. Returns the block, if there is one.
 */
export async function routeAll(
  data: DataDirectory,
  source: RunOptions['source'] = {},
): Promise<Blocked | undefined> {
  const router = await openRouter(data);
  const { signal } = new AbortController();
  try {
    const blocked = await router.run({ until: 'end', signal, source });
    await payOnce({ data, sites: router.sites }, signal);
    return blocked;
  } finally {
    await router.release();
  }
}

/** `residency reconcile --open`. */
export async function reconcileOpening(data: DataDirectory): Promise<ReconciliationReport> {
  const { versions } = await data.log.policyView().read();
  const sites = new Set(
    versions.flatMap(({ document }) => document.regions.flatMap((region) => region.sites)),
  );
  const regions = sitesByRegion(versions);
  const { log } = data;
  const partition = `${log.name}/${TOPICS.samples}/0`;
  const values = async function* (topic: Topic) {
    for await (const { value } of log.read(topic)) yield value ?? Buffer.alloc(0);
  };
  const versionOf = (digest: string) => versions.find((version) => version.digest === digest);
  return await reconcile({
    sites: [...sites].map((site) => new FilesystemSiteReader(data.sitePath(site), site)),
    foreignSites: (await readdir(data.sitePath('.'))).filter((name) => !sites.has(name)),
    trail: {
      events: () => values(TOPICS.audit),
      pointers: () => values(TOPICS.quarantine),
      async *custody() {
        for (const region of regions.keys()) yield* values(custodyTopic(region));
      },
      committed: async () => new Map([[partition, (await log.committed()) ?? -1n]]),
      end: async () => new Map([[partition, await log.end(TOPICS.samples)]]),
      async *lookupDifferences() {
        for await (const found of log.lookupDifferences()) yield formatPosition(found);
      },
    },
    ruleHolds: (digest, { rule, region, country, at }) => {
      const version = versionOf(digest);
      const decided = version === undefined ? undefined : decide(version, country, at);
      return decided?.known === true && decided.rule.id === rule && decided.region === region;
    },
    regions: () => regions,
    settleWithOf: (digest, region) => {
      const found = versions
        .find((version) => version.digest === digest)
        ?.document.regions.find(({ id }) => id === region);
      return found === undefined ? undefined : settleWith(found);
    },
    sitesOf: (digest, region) =>
      versionOf(digest)?.document.regions.find(({ id }) => id === region)?.sites,
    readHeader: readSealedHeader,
    open: async (message, region) =>
      await openSealed(message, region, new PemUnwrapper(data.keys, region)),
  });
}
