import { randomBytes } from 'node:crypto';
import { objectKey, sha256, sha256OfParts } from '@residency/contracts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';

// A process that places objects `crash-0`, `crash-1`, ... until it is killed: `crash-writer.ts
// <site directory> <attempt>`.
const [, , directory = '', attempt = '0'] = process.argv;
const store = new FilesystemObjectStore(directory, { region: 'zurich', site: 'zrh-1' });
let next = 0;

async function work(): Promise<void> {
  for (;;) {
    const index = next;
    next += 1;
    const sealed = randomBytes(20_000);
    await store.create(objectKey(sha256OfParts('urn:example', `crash-${index}`)), sealed, {
      position: `log-1/threat.samples/0/${attempt}`,
      sampleSha256: sha256(Buffer.from(`${index}`)),
      country: 'CH',
      policyDigest: sha256(Buffer.from('policy')),
      sealedSha256: sha256(sealed),
      wrappingKey: 'k1',
    });
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: 8 }, work));
