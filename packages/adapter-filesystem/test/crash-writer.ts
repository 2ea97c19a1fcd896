import { randomBytes } from 'node:crypto';
import { objectKey, sha256, sha256OfParts } from '@residency/contracts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';

// A process that places objects until it is killed: `crash-writer.ts <site directory> <how many> <attempt>`.
const [, , directory = '', count = '0', attempt = '0'] = process.argv;
const store = new FilesystemObjectStore(directory, 'zrh-1');
const waiting = Array.from({ length: Number(count) }, (_, index) => index).values();

async function work(): Promise<void> {
  for (const index of waiting) {
    const sealed = randomBytes(20_000);
    await store.create(objectKey(sha256OfParts('urn:example', `crash-${index}`)), sealed, {
      position: `log-1/threat.samples/0/${attempt}`, sampleSha256: sha256(Buffer.from(`${index}`)), country: 'CH',
      policyDigest: sha256(Buffer.from('policy')), sealedSha256: sha256(sealed), wrappingKey: 'k1',
    });
  }
}

process.stdout.write('ready\n');
await Promise.all(Array.from({ length: 8 }, work));
await store.flush();
