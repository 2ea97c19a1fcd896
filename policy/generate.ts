import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { countriesFile } from './countries-file.ts';
import { residencyPolicy } from './residency-policy.ts';

export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export function generatedFiles(): GeneratedFile[] {
  return [
    { path: 'packages/residency/src/countries.ts', text: countriesFile() },
    { path: 'policy/residency-1.json', text: `${JSON.stringify(residencyPolicy(), null, 2)}\n` },
  ];
}

/** Paths below `root` that are missing or differ, by a single byte or more. */
export function differingFiles(root: string, files: readonly GeneratedFile[]): string[] {
  return files
    .filter(({ path, text }) => {
      try {
        return !readFileSync(join(root, path)).equals(Buffer.from(text, 'utf8'));
      } catch {
        return true;
      }
    })
    .map(({ path }) => path);
}

/**
 * Writes the files, or with `check` only compares them; returns the exit code and the sentence for
 * the person who ran it.
 */
export function generate(
  root: string,
  { check }: { readonly check: boolean },
): { readonly exitCode: 0 | 1; readonly sentence: string } {
  const files = generatedFiles();
  const differing = differingFiles(root, files);
  if (differing.length === 0)
    return {
      exitCode: 0,
      sentence: 'The generated files are as the lists and the exceptions say.',
    };
  if (check) {
    return {
      exitCode: 1,
      sentence: `Expected what policy/generate.ts makes, found something else in ${differing.join(' and ')}. Run "node policy/generate.ts" and review the difference; a published version is never changed, but followed by a new one.`,
    };
  }
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { exitCode: 0, sentence: `Wrote ${differing.join(' and ')}.` };
}

if (import.meta.main) {
  const { exitCode, sentence } = generate(join(import.meta.dirname, '..'), {
    check: process.argv.includes('--check'),
  });
  (exitCode === 0 ? process.stdout : process.stderr).write(`${sentence}\n`);
  process.exitCode = exitCode;
}
