import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * At most `limit` bytes of a regular file; `undefined` where it has more. What became a link or a
 * pipe since it was found is refused.
 */
export async function readSample(path: Buffer, limit: number): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile())
      throw Object.assign(new Error('Expected a regular file.'), { code: 'NOT_A_FILE' });
    return stats.size > limit ? undefined : await readUpTo(file, stats.size);
  } finally {
    await file.close();
  }
}

/** A file that grows meanwhile is taken as long as it was. */
async function readUpTo(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
