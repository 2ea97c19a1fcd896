import { defined } from '@residency/defined';
import type { S3Calls } from './s3-calls.ts';

/** S3's own limit of a page. */
const PAGE_KEYS = 1_000;

/** All keys with this prefix, in memory: for what one sample has. */
export async function allKeys(
  calls: Pick<S3Calls, 'list'>,
  prefix: string,
): Promise<readonly string[]> {
  const all: string[] = [];
  let from: string | undefined;
  do {
    const { keys, next } = await calls.list(prefix, { maxKeys: PAGE_KEYS, ...defined({ from }) });
    all.push(...keys);
    from = next;
  } while (from !== undefined);
  return all;
}
