import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeSiteMarker } from '@residency/contracts';
import { describeSiteMarker } from '@residency/testkit';
import type { MarkedSite } from '@residency/testkit';
import { FilesystemCustodianSite } from '../src/filesystem-custodian-site.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';

async function markedSite(
  open: (directory: string, now: () => number) => MarkedSite['create'],
): Promise<MarkedSite> {
  const site = await temporarySite();
  const marker = join(site.directory, 'residency-site.json');
  let clock = 0;
  return {
    create: open(site.directory, () => clock),
    identity: ZURICH,
    mark: (identity) =>
      identity === undefined ? rm(marker) : writeFile(marker, encodeSiteMarker(identity)),
    pass: (milliseconds) => {
      clock += milliseconds;
    },
    whileUnreachable: async (work) => {
      await rename(site.directory, `${site.directory}.away`);
      await work();
      await rename(`${site.directory}.away`, site.directory);
    },
    count: async () => (await site.files('samples')).length,
    close: () => site.remove(),
  };
}

describeSiteMarker('FilesystemObjectStore', () =>
  markedSite((directory, now) => {
    const store = new FilesystemObjectStore(directory, ZURICH, now);
    return async ({ key, sealed, metadata }) => (await store.create(key, sealed, metadata)).created;
  }),
);

describeSiteMarker('FilesystemCustodianSite', () =>
  markedSite((directory, now) => {
    const custodian = new FilesystemCustodianSite(directory, ZURICH, now);
    return async ({ key, sealed: bytes, metadata }) =>
      (await custodian.create({ key, bytes, metadata })).written;
  }),
);
