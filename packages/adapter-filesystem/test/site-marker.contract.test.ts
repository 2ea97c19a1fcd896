import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeSiteMarker } from '@residency/contracts';
import { describeSiteMarker } from '@residency/testkit';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';

describeSiteMarker('FilesystemObjectStore', async () => {
  const site = await temporarySite();
  const marker = join(site.directory, 'residency-site.json');
  let clock = 0;
  return {
    store: new FilesystemObjectStore(site.directory, ZURICH, () => clock),
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
});
