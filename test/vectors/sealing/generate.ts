/**
 * Made `v1`: `node test/vectors/sealing/generate.ts`, once. What a version wrote stays and must open for ever, so this
 * refuses to write where something is; a new version of the format gets a new folder. `generate_with_python.py` added to it.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EncryptionSdkSealer, generateRegionKey } from '@residency/sealing';
import type { RegionKey } from '@residency/sealing';

const folder = join(import.meta.dirname, 'v1');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const older = await generateRegionKey('zurich', Date.UTC(2026, 0, 1));
const newer = await generateRegionKey('zurich', Date.UTC(2026, 1, 1));
const moscow = await generateRegionKey('moscow', Date.UTC(2026, 0, 1));

const VECTORS: readonly (readonly [
  name: string,
  region: string,
  key: RegionKey,
  sample: string,
])[] = [
  ['one-byte', 'zurich', newer, 'x'],
  [
    'older-key',
    'zurich',
    older,
    'CANARY-zurich-older: a harmless line of text, sealed before the key was rotated.\n',
  ],
  ['text', 'zurich', newer, 'CANARY-zurich-newer: a harmless line of text.\n'],
  ['not-ascii', 'moscow', moscow, 'CANARY-moscow: безобидная строка, 無害な行.\0\r\n'],
];

await mkdir(folder);
for (const key of [older, newer, moscow]) await writeKey(key);
for (const vector of VECTORS) await writeVector(...vector);

async function writeKey({ id, publicKeyPem, privateKeyPem }: RegionKey): Promise<void> {
  const keys = join(folder, 'TEST-KEYS', id.slice(0, id.indexOf('-')));
  await mkdir(keys, { recursive: true });
  await writeFile(join(keys, `${id}.public.pem`), publicKeyPem, { flag: 'wx' });
  await writeFile(join(keys, `${id}.private.pem`), privateKeyPem, { flag: 'wx' });
}

async function writeVector(
  name: string,
  region: string,
  key: RegionKey,
  sample: string,
): Promise<void> {
  const context = {
    region,
    policyDigest: sha256('policy of the vectors'),
    sampleSha256: sha256(sample),
    submission: sha256(`submission ${name}`),
  };
  const { message, ...sealed } = await new EncryptionSdkSealer({ newest: () => key }).seal(
    Buffer.from(sample),
    context,
  );
  await writeFile(join(folder, `${name}.message`), message, { flag: 'wx' });
  await writeFile(
    join(folder, `${name}.json`),
    `${JSON.stringify({ writtenBy: 'EncryptionSdkSealer', ...sealed, context, sample }, undefined, 2)}\n`,
    { flag: 'wx' },
  );
}
