import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeObjectStore } from '@residency/testkit';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { objectPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';

describeObjectStore('FilesystemObjectStore', async () => {
  const site = await temporarySite();
  return {
    open: () => new FilesystemObjectStore(site.directory, ZURICH),
    read: (key) => readFile(join(site.directory, objectPath(key.slice(-64)))),
    count: async () => (await site.files('samples')).length,
    close: () => site.remove(),
  };
});
