/**
 * `npm run interop:sealing -- PYTHON`: seals samples around the borders of frames and opens each
 * with the SDK for Python (`open_with_python.py`). PYTHON: the interpreter of an environment with
 * `requirements.txt`. Ends with 0 if all opened to what was sealed, with 1 if not, with 2 if used
 * wrongly.
 */
import { execFile } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RegionSealer, generateRegionKey } from '@residency/sealing';

const FRAME = 1024 * 1024;
const SIZES = [1, 10_240, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 2 * FRAME + 1, 24 * FRAME];
const REGION = 'zurich';

const run = promisify(execFile);

async function openAll(python: string, folder: string): Promise<number> {
  const key = await generateRegionKey(REGION, 0);
  const sealer = new RegionSealer({ newest: () => key });
  const privateKey = join(folder, `${key.id}.private.pem`);
  await writeFile(privateKey, key.privateKeyPem);
  let wrong = 0;
  for (const size of SIZES) {
    const sample = randomBytes(size);
    const sampleSha256 = hash('sha256', sample);
    const context = {
      region: REGION,
      policyDigest: hash('sha256', 'a policy'),
      sampleSha256,
      submission: hash('sha256', `a submission of ${size}`),
    };
    const path = join(folder, `${size}.message`);
    await writeFile(path, (await sealer.seal(sample, context)).message);
    const script = join(import.meta.dirname, 'open_with_python.py');
    const expected = JSON.stringify({
      bytes: size,
      context: {
        'policy-digest': context.policyDigest,
        region: REGION,
        'sample-sha256': sampleSha256,
        submission: context.submission,
      },
      sampleSha256,
    });
    const found = await run(python, [script, path, privateKey, '--region', REGION]).then(
      ({ stdout }) => JSON.stringify(JSON.parse(stdout)),
      () => undefined,
    );
    if (found !== expected) wrong += 1;
    process.stdout.write(`${size} bytes: ${found === expected ? 'opened' : 'NOT opened'}\n`);
  }
  return wrong;
}

const [, , python, ...more] = process.argv;
if (python === undefined || more.length > 0) {
  process.stderr.write(
    'Expected the path of a Python interpreter with test/interop/requirements.txt, found otherwise; see test/interop/README.md.\n',
  );
  process.exitCode = 2;
} else {
  const folder = await mkdtemp(join(tmpdir(), 'residency-interop-'));
  try {
    process.exitCode = (await openAll(python, folder)) > 0 ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true });
  }
}
