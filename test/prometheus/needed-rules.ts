import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { text } from '../architecture/tree.ts';

type Rule = Readonly<Record<string, unknown>>;
interface Group {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/**
 * Copies a file of unit tests and, of the deployed rules, those that it names and those that these
 * build on: promtool evaluates every rule that it reads at every minute it plays through. All groups
 * stay. Calls `work` with the copy's path.
 */
export async function withNeededRules<T>(
  testFile: string,
  ruleFiles: readonly string[],
  work: (copy: string) => Promise<T>,
): Promise<T> {
  const tests = text(testFile);
  // Scalars as they are written, such as durations.
  const groups = ruleFiles.flatMap(
    (file) => (parse(text(file), { schema: 'failsafe' }) as { groups: readonly Group[] }).groups,
  );
  const needed = neededBy(
    tests,
    groups.flatMap(({ rules }) => rules),
  );
  const alone = {
    groups: groups.map(({ rules, ...group }) => ({
      ...group,
      rules: rules.filter((rule) => needed.has(rule)),
    })),
  };
  const folder = await mkdtemp(join(tmpdir(), 'residency-rules-'));
  try {
    // JSON is YAML.
    await writeFile(join(folder, 'rules.yml'), JSON.stringify(alone));
    const copy = join(folder, 'tests.yml');
    await writeFile(copy, tests.replace(/^rule_files: .*$/m, 'rule_files: [rules.yml]'));
    return await work(copy);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The rules that a text names, and those that these name. */
export function neededBy(tests: string, rules: readonly Rule[]): ReadonlySet<Rule> {
  const needed = new Set(rules.filter((rule) => tests.includes(nameOf(rule))));
  // A set's iteration meets what is added meanwhile.
  for (const rule of needed) {
    const said = JSON.stringify(rule);
    for (const other of rules) if (said.includes(nameOf(other))) needed.add(other);
  }
  return needed;
}

function nameOf(rule: Rule): string {
  return String(rule['alert'] ?? rule['record']);
}
