import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { exists, files, text, workspaces } from './tree.ts';

/** Exported for the simulation alone. */
const FOR_DEVELOPMENT = ['@residency/auditor/kafka-ledger-source'];

interface Import {
  readonly file: string;
  readonly from: string;
  readonly names: readonly string[];
}

/** `@residency/contracts/digest` and the file behind it, for all that packages export so. */
const subpaths = new Map(
  workspaces.flatMap((folder) => {
    const { name, exports = {} } = JSON.parse(text(`${folder}/package.json`)) as {
      readonly name: string;
      readonly exports?: Readonly<Record<string, string>>;
    };
    return Object.entries(exports)
      .filter(([path]) => path !== '.')
      .map(([path, file]) => [posix.join(name, path), { folder, file: posix.join(folder, file) }]);
  }),
);

const imports: readonly Import[] = files('{packages,services}/*/src/**/*.ts').flatMap((file) =>
  [
    ...text(file).matchAll(
      /(?:import (?:type )?\{(?<named>[^}]*)\} from |(?:const \{(?<late>[^}]*)\} = await )?import\()'(?<from>@residency\/[\w-]+\/[\w-]+)'/g,
    ),
  ]
    .map(({ groups }) => ({
      file,
      from: groups?.['from'] ?? '',
      names: (groups?.['named'] ?? groups?.['late'] ?? '')
        .split(',')
        .flatMap((name) => name.trim() || []),
    }))
    .filter(({ from }) => !FOR_DEVELOPMENT.includes(from)),
);

test('a file that a package exports beside its index gives nothing that the index does not', () => {
  expect(imports.length).toBeGreaterThan(20);
  const missing = imports.flatMap(({ file, from, names }) => {
    const index = text(`${subpaths.get(from)?.folder ?? ''}/src/index.ts`);
    return names
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(index))
      .map((name) => `${file}: ${name} of ${from}`);
  });
  expect(missing).toEqual([]);
});

test('each such file exists, and somebody imports it', () => {
  const used = new Set(imports.map(({ from }) => from));
  for (const [name, { file }] of subpaths) expect([name, exists(file)]).toEqual([name, true]);
  expect(
    [...subpaths.keys()].filter((name) => !used.has(name) && !FOR_DEVELOPMENT.includes(name)),
  ).toEqual([]);
});
