import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeObjectMetadata, isSetAsideKey } from '@residency/contracts';
import type { ObjectMetadata } from '@residency/contracts';
import { describeCustodianSite } from '@residency/testkit';
import { FilesystemCustodianSite } from '../src/filesystem-custodian-site.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { keyOfPath, objectPath, setAsideMetadataPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';

describeCustodianSite('FilesystemCustodianSite', async () => {
  const site = await temporarySite();
  const reader = new FilesystemSiteReader(site.directory, ZURICH.site);
  const fileOf = (key: string): string =>
    join(site.directory, isSetAsideKey(key) ? key : objectPath(key.slice(-64)));
  const metadataOf = async (key: string): Promise<ObjectMetadata | undefined> => {
    const found = isSetAsideKey(key)
      ? await readFile(join(site.directory, setAsideMetadataPath(key)), 'utf8')
          .then((text) => JSON.parse(text) as Record<string, unknown>)
          .catch(() => undefined)
      : (await reader.read(key))?.metadata;
    return found && decodeObjectMetadata(found);
  };
  return {
    open: () => new FilesystemCustodianSite(site.directory, ZURICH),
    router: () => new FilesystemObjectStore(site.directory, ZURICH),
    put: async (key, bytes) => {
      await mkdir(dirname(fileOf(key)), { recursive: true });
      await writeFile(fileOf(key), bytes);
    },
    remove: (key) => rm(fileOf(key)),
    look: async (key) => {
      const bytes = await readFile(fileOf(key)).catch(() => undefined);
      const metadata = await metadataOf(key);
      return bytes && { bytes, ...(metadata === undefined ? {} : { metadata }) };
    },
    keys: async () =>
      (await site.files())
        .map((path) => (isSetAsideKey(path) ? path : keyOfPath(path)))
        .filter((key) => key !== undefined)
        .toSorted(),
    close: () => site.remove(),
  };
});
