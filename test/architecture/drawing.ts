import { files, text, workspaces } from './tree.ts';

/** The document with the drawing; `npm run drawing` writes it. */
export const DRAWING = 'docs/architecture.md';

const FOR_TESTS = new Set(['testkit', 'simulation']);

/** The workspaces that each workspace's code imports, types included. Names without folders. */
export function imports(): ReadonlyMap<string, ReadonlySet<string>> {
  const drawn = workspaces.filter((workspace) => !FOR_TESTS.has(nameOf(workspace)));
  return new Map(
    drawn.map((workspace) => {
      const found = files(`${workspace}/src/**/*.ts`).flatMap((file) => [
        ...text(file).matchAll(/(?:from |import\()'@residency\/([a-z0-9-]+)/g),
      ]);
      return [nameOf(workspace), new Set(found.map(([, name = '']) => name))];
    }),
  );
}

/** The arrows to draw: those that no two others imply. Throws if the arrows have a cycle. */
export function arrows(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const reached = new Map<string, ReadonlySet<string>>();
  const reach = (name: string, path: readonly string[]): ReadonlySet<string> => {
    if (path.includes(name)) throw new Error(`Expected no cycle, found ${path.join(' -> ')}.`);
    const known = reached.get(name);
    if (known !== undefined) return known;
    const all = new Set<string>();
    for (const next of graph.get(name) ?? [])
      for (const one of [next, ...reach(next, [...path, name])]) all.add(one);
    reached.set(name, all);
    return all;
  };
  return [...graph]
    .flatMap(([from, nexts]) => {
      reach(from, []);
      return [...nexts]
        .filter((to) => ![...nexts].some((other) => reach(other, [from]).has(to)))
        .map((to) => `${from} --> ${to}`);
    })
    .toSorted();
}

/** The mermaid block of a page. */
export function drawingIn(page: string): string {
  return /```mermaid\n(.*?)```/s.exec(page)?.[1] ?? '';
}

export function draw(): string {
  const box = (folder: string): string =>
    [
      `  subgraph ${folder}`,
      ...workspaces
        .filter((workspace) => workspace.startsWith(`${folder}/`))
        .map(nameOf)
        .filter((name) => !FOR_TESTS.has(name))
        .map((name) => `    ${name}`),
      '  end',
    ].join('\n');
  const lines = arrows(imports()).map((arrow) => `  ${arrow}`);
  return `flowchart TD\n${box('services')}\n${box('packages')}\n${lines.join('\n')}\n`;
}

function nameOf(workspace: string): string {
  return workspace.slice(workspace.indexOf('/') + 1);
}
