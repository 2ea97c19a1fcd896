import { open, readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const MOST_BYTES = 16 * 1024 * 1024;

export interface RealFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Files of the installed packages, evenly over their types: for each ending as many as are needed
 * to reach `wanted`, smallest and largest first. 1 byte to 16 MiB.
 */
export async function realFiles(wanted: number): Promise<readonly RealFile[]> {
  const byType = new Map<string, RealFile[]>();
  for (const entry of await readdir(MODULES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size: bytes } = await stat(path);
    if (bytes < 1 || bytes > MOST_BYTES) continue;
    const type = extname(entry.name).toLowerCase() || '(none)';
    const files = byType.get(type) ?? [];
    byType.set(type, files);
    files.push({ path, bytes });
  }
  const queues = [...byType.values()].map((files) =>
    outwardIn(files.toSorted((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1))),
  );
  const chosen: RealFile[] = [];
  for (
    let round = 0;
    chosen.length < wanted && queues.some((queue) => round < queue.length);
    round += 1
  ) {
    for (const queue of queues) {
      const file = queue[round];
      if (file !== undefined && chosen.length < wanted) chosen.push(file);
    }
  }
  return chosen;
}

export function types(files: readonly RealFile[]): ReadonlySet<string> {
  return new Set(files.map(({ path }) => extname(path).toLowerCase()));
}

/** The first `bytes` of a larger real file, for sizes that no installed file has. */
export async function headOf(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
    if (bytesRead < bytes)
      throw new RangeError(`Expected ${bytes} bytes in ${path}, found ${bytesRead}.`);
    return buffer;
  } finally {
    await file.close();
  }
}

/** Smallest, largest, second smallest, second largest, and so on. */
function outwardIn(files: readonly RealFile[]): readonly RealFile[] {
  const last = files.length - 1;
  return files
    .map((_, at) => (at % 2 === 0 ? files[at / 2] : files[last - (at - 1) / 2]))
    .filter((file) => file !== undefined);
}
