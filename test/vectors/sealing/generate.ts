/**
 * Adds to `v1` what today's sealer writes: `node test/vectors/sealing/generate.ts`, once a vector.
 * What a version wrote stays and must open for ever, so this refuses to write where something is; a
 * new version of the format gets a new folder. `generate_with_python.py` added to it.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RegionSealer } from '@residency/sealing';

const folder = join(import.meta.dirname, 'v1');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const VECTORS: readonly (readonly [name: string, region: string, sample: string])[] = [
  ['region-sealer', 'zurich', 'CANARY-zurich-lean: a harmless line of text.\n'],
  ['region-sealer-not-ascii', 'moscow', 'CANARY-moscow-lean: безобидная строка, 無害な行.\0\r\n'],
];

for (const vector of VECTORS) await writeVector(...vector);

function newestKey(region: string): { readonly id: string; readonly publicKeyPem: string } {
  const keys = join(folder, 'TEST-KEYS', region);
  const file = readdirSync(keys)
    .filter((name) => name.endsWith('.public.pem'))
    .toSorted()
    .at(-1);
  if (file === undefined) throw new RangeError(`Expected a test key of ${region}, found none.`);
  return {
    id: file.slice(0, -'.public.pem'.length),
    publicKeyPem: readFileSync(join(keys, file), 'utf8'),
  };
}

async function writeVector(name: string, region: string, sample: string): Promise<void> {
  const context = {
    region,
    policyDigest: sha256('policy of the vectors'),
    sampleSha256: sha256(sample),
    submission: sha256(`submission ${name}`),
  };
  const { message, ...sealed } = await new RegionSealer({ newest: newestKey }).seal(
    Buffer.from(sample),
    context,
  );
  await writeFile(join(folder, `${name}.message`), message, { flag: 'wx' });
  await writeFile(
    join(folder, `${name}.json`),
    `${JSON.stringify({ writtenBy: 'RegionSealer', ...sealed, context, sample }, undefined, 2)}\n`,
    { flag: 'wx' },
  );
}
