import { cp } from 'node:fs/promises';
import type { DiskCalls } from '../src/disk-calls.ts';
import { brokenDisk } from './recorded-disk.ts';

type Plan = Parameters<typeof brokenDisk>[0];

/** The number of calls that change something while `work` is done on a copy of the site. */
export async function numberOfCalls(
  site: string,
  work: (directory: string, calls: DiskCalls) => Promise<unknown>,
): Promise<number> {
  const counted = brokenDisk({ nth: Infinity, persists: false, kind: 'killed' });
  const copy = `${site}.counted`;
  await cp(site, copy, { recursive: true });
  await work(copy, counted.calls);
  return counted.made();
}

/** A copy of the site for each call, with a disk that breaks that call, with or without its effect. */
export async function* brokenCopies(
  site: string,
  calls: number,
  kind: Plan['kind'],
): AsyncGenerator<{ readonly directory: string; readonly disk: ReturnType<typeof brokenDisk> }> {
  for (let nth = 0; nth < calls; nth += 1)
    for (const persists of [false, true]) {
      const directory = `${site}.${nth}.${String(persists)}`;
      await cp(site, directory, { recursive: true });
      yield { directory, disk: brokenDisk({ nth, persists, kind }) };
    }
}
