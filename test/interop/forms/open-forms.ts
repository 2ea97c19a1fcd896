/**
 * `npm run interop:forms -- PYTHON 7Z`: writes samples in each neutral form and opens each with
 * Python's tools (`open_forms.py`) and with 7-Zip. PYTHON: the interpreter of an environment with
 * `requirements.txt`. 7Z: the program 7-Zip. Ends with 0 if all opened to what was written, with 1
 * if not, with 2 if used wrongly.
 */
import { execFile } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PASSWORD, neutralise } from '@residency/neutral-forms';

const MiB = 1024 * 1024;
/** Around the blocks of zlib and CaRT, and the frames of a sealed sample. */
const SIZES = [0, 1, 32_768, 65_535, 65_536, 65_537, MiB - 1, MiB, MiB + 1, 16 * MiB];
const FORMS = ['cart', 'zip', 'zip-legacy'] as const;

const run = promisify(execFile);

interface Tools {
  readonly python: string;
  readonly sevenZip: string;
}

interface Opened {
  readonly tool: string;
  /** The name inside and the SHA-256 of what was inside; `undefined`: it did not open. */
  readonly found: Promise<readonly [name: string, sha256: string] | undefined>;
}

function openAll(form: (typeof FORMS)[number], path: string, tools: Tools): readonly Opened[] {
  const python = { tool: 'python', found: openWithPython(form, path, tools.python) };
  // 7-Zip does not know CaRT.
  if (form === 'cart') return [python];
  return [python, { tool: '7-Zip', found: openWithSevenZip(path, tools.sevenZip) }];
}

async function openWithPython(form: string, path: string, python: string): Opened['found'] {
  const script = join(import.meta.dirname, 'open_forms.py');
  try {
    const { name, sha256 } = JSON.parse((await run(python, [script, form, path])).stdout);
    return [name, sha256];
  } catch {
    return undefined;
  }
}

async function openWithSevenZip(path: string, sevenZip: string): Opened['found'] {
  const folder = `${path}.opened`;
  try {
    await run(sevenZip, ['x', `-p${PASSWORD}`, `-o${folder}`, path]);
    const { stdout } = await run(sevenZip, ['l', '-slt', '-ba', path]);
    const name = /^Path = (.*)$/m.exec(stdout)?.[1] ?? '';
    return [name, hash('sha256', await readFile(join(folder, name)))];
  } catch {
    return undefined;
  }
}

async function writeAndOpen(folder: string, tools: Tools): Promise<number> {
  let wrong = 0;
  for (const form of FORMS)
    for (const size of SIZES) {
      const sample = randomBytes(size);
      const sha256 = hash('sha256', sample);
      const { bytes, fileName } = await neutralise(form, sample, {
        name: `${form}-${size}`,
        sha256,
      });
      const path = join(folder, fileName);
      await writeFile(path, bytes);
      for (const { tool, found } of openAll(form, path, tools)) {
        const opened = (await found)?.join() === [sha256, sha256].join();
        if (!opened) wrong += 1;
        process.stdout.write(
          `${form}, ${size} bytes, ${tool}: ${opened ? 'opened' : 'NOT opened'}\n`,
        );
      }
    }
  return wrong;
}

const [, , python, sevenZip, ...more] = process.argv;
if (python === undefined || sevenZip === undefined || more.length > 0) {
  process.stderr.write(
    'Expected the path of a Python interpreter with test/interop/forms/requirements.txt and that of 7-Zip, found otherwise; see test/interop/forms/README.md.\n',
  );
  process.exitCode = 2;
} else {
  const folder = await mkdtemp(join(tmpdir(), 'residency-forms-'));
  try {
    process.exitCode = (await writeAndOpen(folder, { python, sevenZip })) > 0 ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true });
  }
}
