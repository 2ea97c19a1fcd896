import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setAsideKey } from '@residency/contracts';
import { describeSubmissionList } from '@residency/testkit';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { earlierObjectPath, metadataPath, objectPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';

const ANY = 'a'.repeat(64);
const LINK = 'b'.repeat(64);

describeSubmissionList('FilesystemSiteReader', async () => {
  const site = await temporarySite();
  const put = async (path: string): Promise<void> => {
    await mkdir(dirname(join(site.directory, path)), { recursive: true });
    await writeFile(join(site.directory, path), 'x');
  };
  return {
    many: 2_500,
    open: () => new FilesystemSiteReader(site.directory, ZURICH.site),
    create: async (submissions) => {
      // Every second one where version 0.1 put it.
      for (const [index, submission] of submissions.entries())
        await put((index % 2 === 0 ? objectPath : earlierObjectPath)(submission));
    },
    putOthers: async () => {
      for (const path of [setAsideKey(ANY, ANY), metadataPath(ANY), 'samples/a/stray', 'note'])
        await put(path);
      await put(objectPath(ANY).replace('/a/', '/b/'));
      await mkdir(dirname(join(site.directory, objectPath(LINK))), { recursive: true });
      await symlink('/dev/null', join(site.directory, objectPath(LINK)));
    },
    close: () => site.remove(),
  };
});
