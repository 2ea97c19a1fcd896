import { describe, expect, test } from 'vitest';
import { files, text } from './tree.ts';

/** The command line's source. Each folder is named after its subject. */
const SOURCE = 'services/cli/src';
const MOST_FILES = 20;

interface Arrow {
  readonly from: string;
  readonly to: string;
}

const inRooms = files(`${SOURCE}/*/**/*.ts`);

function roomOf(path: string): string {
  return path.slice(SOURCE.length + 1).split('/')[0] ?? '';
}

/** The imports from folder to folder: import statements, type imports and dynamic imports. */
function arrowsOf(path: string, content: string): Arrow[] {
  const from = roomOf(path);
  return [...content.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'\.\.\/([\w-]+)\/[^']+'/g)].flatMap(
    ([, to = '']) => (to === from ? [] : [{ from, to }]),
  );
}

/** The folders on an import cycle. */
function cycles(arrows: readonly Arrow[]): string[] {
  const reached = (start: string): Set<string> => {
    const seen = new Set<string>();
    const open = [start];
    for (let room = open.pop(); room !== undefined; room = open.pop())
      for (const { from, to } of arrows)
        if (from === room && !seen.has(to)) {
          seen.add(to);
          open.push(to);
        }
    return seen;
  };
  return [...new Set(arrows.map(({ from }) => from))]
    .filter((room) => reached(room).has(room))
    .toSorted();
}

describe('the folders of the command line', () => {
  const arrows = inRooms.flatMap((path) => arrowsOf(path, text(path)));

  test('have no import cycle', () => {
    expect(arrows.length).toBeGreaterThan(50);
    expect(cycles(arrows)).toEqual([]);
  });

  test('hold at most twenty files each', () => {
    const rooms = Object.entries(Object.groupBy(inRooms, roomOf));
    expect(rooms.length).toBeGreaterThan(10);
    expect(
      rooms.flatMap(([room, all = []]) =>
        all.length > MOST_FILES ? [`${room}: ${all.length}`] : [],
      ),
    ).toEqual([]);
  });

  test('an import cycle is found, whatever kind of import it is', () => {
    const back = [
      ...arrowsOf(`${SOURCE}/a/x.ts`, "import { y } from '../b/y.ts';"),
      ...arrowsOf(`${SOURCE}/b/y.ts`, "const z = await import('../c/z.ts');"),
      ...arrowsOf(
        `${SOURCE}/c/z.ts`,
        "import type {\n  X,\n} from '../a/x.ts';\nimport './own.ts';",
      ),
      ...arrowsOf(`${SOURCE}/d/d.ts`, "import '../a/x.ts';"),
    ];
    expect(cycles(back)).toEqual(['a', 'b', 'c']);
    expect(cycles(back.filter(({ from }) => from !== 'c'))).toEqual([]);
  });
});
