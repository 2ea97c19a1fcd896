import { posix } from 'node:path';
import { parseSync, printSync } from '@swc/core';
import type { Declaration, ExportSpecifier, Module, ModuleItem } from '@swc/core';
import { exists, text, workspaces } from './tree.ts';

/** The report's file; `npm run api` writes it. */
export const REPORT = 'docs/reference/api.md';

/**
 * Every exported name of each package, with the declaration of a function and of a class's public
 * members. A change of the report is a change that other packages see.
 */
export function apiReport(): string {
  const sections = workspaces
    .filter((workspace) => exists(`${workspace}/src/index.ts`))
    .map((workspace) => {
      const { name } = JSON.parse(text(`${workspace}/package.json`)) as { readonly name: string };
      const lines = exportsOf(`${workspace}/src/index.ts`);
      return `## ${name}\n\n\`\`\`ts\n${lines.join('\n')}\n\`\`\`\n`;
    });
  return `# What each package exports\n\nWritten by \`npm run api\`; a test compares it with the code. A package's index gives nothing else to the others.\n\n${sections.join('\n')}`;
}

function exportsOf(index: string): readonly string[] {
  const found = parse(index).body.flatMap((item) => {
    if (item.type !== 'ExportNamedDeclaration' || item.source === undefined || item.source === null)
      throw new Error(
        `Expected ${index} to be a list of "export { name } from './file.ts'", found ${item.type}; name what it exports.`,
      );
    const file = posix.join(posix.dirname(index), item.source.value);
    return item.specifiers.map((specifier) => {
      const { from, as } = namesOf(index, specifier);
      return { as, line: lineOf(file, from, as) };
    });
  });
  return found.toSorted((a, b) => (a.as < b.as ? -1 : 1)).map(({ line }) => line);
}

function namesOf(
  index: string,
  specifier: ExportSpecifier,
): { readonly from: string; readonly as: string } {
  if (specifier.type !== 'ExportSpecifier')
    throw new Error(`Expected only names in ${index}, found ${specifier.type}; name each.`);
  const from = specifier.orig.value;
  return { from, as: specifier.exported?.value ?? from };
}

/** The declaration of `name` in `file`, or in the file that `file` re-exports it from. */
function lineOf(file: string, name: string, as: string): string {
  if (!file.startsWith('packages/') && !file.startsWith('services/')) return `${as} // ${file}`;
  for (const item of parse(file).body) {
    const declaration = declarationOf(item);
    if (declaration !== undefined) {
      const line = described(declaration, name, as);
      if (line !== undefined) return line;
    }
    if (item.type !== 'ExportNamedDeclaration' || !item.source) continue;
    for (const specifier of item.specifiers) {
      const names = namesOf(file, specifier);
      if (names.as !== name) continue;
      const { value } = item.source;
      return value.startsWith('.')
        ? lineOf(posix.join(posix.dirname(file), value), names.from, as)
        : `${as} // of ${value}`;
    }
  }
  throw new Error(
    `Expected ${file} to declare ${name}, found no such declaration; export it there.`,
  );
}

function declarationOf(item: ModuleItem): Declaration | undefined {
  return item.type === 'ExportDeclaration' ? item.declaration : undefined;
}

/** `undefined`: it declares another name. */
function described(declaration: Declaration, name: string, as: string): string | undefined {
  switch (declaration.type) {
    case 'FunctionDeclaration':
      return declaration.identifier.value === name
        ? headOf({ ...declaration, identifier: { ...declaration.identifier, value: as } })
        : undefined;
    case 'ClassDeclaration':
      return declaration.identifier.value === name ? `class ${as}` : undefined;
    case 'VariableDeclaration':
      return declaration.declarations.some(
        ({ id }) => id.type === 'Identifier' && id.value === name,
      )
        ? `const ${as}`
        : undefined;
    case 'TsInterfaceDeclaration':
      return declaration.id.value === name ? `interface ${as}` : undefined;
    case 'TsTypeAliasDeclaration':
      return declaration.id.value === name ? `type ${as}` : undefined;
    case 'TsEnumDeclaration':
    case 'TsModuleDeclaration':
      break;
  }
  return undefined;
}

/** A function without its body, on one line. */
function headOf(declaration: Declaration & { readonly type: 'FunctionDeclaration' }): string {
  const { code } = printSync({
    type: 'Module',
    span: declaration.span,
    body: [{ ...declaration, body: null } as unknown as Declaration],
    interpreter: '',
  });
  return code.replaceAll(/\s+/g, ' ').replace(/^#!/, '').trim().replace(/;$/, '');
}

const parsed = new Map<string, Module>();

function parse(file: string): Module {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const module = parseSync(text(file), { syntax: 'typescript', comments: false, target: 'esnext' });
  parsed.set(file, module);
  return module;
}
