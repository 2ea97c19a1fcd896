import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MarkerWatch } from '@residency/contracts';
import type { SiteIdentity } from '@residency/contracts';
import type { DiskCalls } from './disk-calls.ts';
import { FilesystemError } from './filesystem-error.ts';
import { SITE_DIRECTORIES } from './site-layout.ts';
import { isEmpty, verifySite } from './site-marker.ts';

/** Device and inode of two folders of a site. */
interface Bound {
  readonly root: string;
  readonly samples: string;
}

/**
 * A site's folder, bound to the folder in which its marker was read. The path may later name
 * another folder (renamed, mounted, a symbolic link). Then `samples/` is another file, and it is
 * not used before the marker was read there.
 */
export class SiteFolder {
  readonly directory: string;
  readonly #identity: SiteIdentity;
  readonly #watch: MarkerWatch;
  readonly #calls: Pick<DiskCalls, 'lstat'>;
  readonly #moved: () => void;
  #bound: Bound | undefined;

  /** `moved`: called when the site is bound to another folder. */
  constructor(
    directory: string,
    identity: SiteIdentity,
    now: () => number,
    calls: Pick<DiskCalls, 'lstat'>,
    moved: () => void = () => undefined,
  ) {
    this.directory = directory;
    this.#identity = identity;
    this.#calls = calls;
    this.#moved = moved;
    this.#watch = new MarkerWatch(() => this.#look(), { now });
  }

  /**
   * Call before a use. Reads the marker if that is due. Throws the markers' errors (stop), and
   * errors of system calls.
   */
  async requireVerified(): Promise<void> {
    await this.#watch.fresh();
    if (this.#isSame()) return;
    this.#watch.doubt();
    await this.#watch.fresh();
  }

  /**
   * Call after a use, before its result counts. Throws `SITE_UNREACHABLE` (retry) if the path now
   * names another folder.
   */
  requireSameFolder(): void {
    if (this.#isSame()) return;
    this.#watch.doubt();
    throw this.#moving();
  }

  /** A use failed, so the marker is read again before the next use. */
  doubt(): void {
    this.#watch.doubt();
  }

  #isSame(): boolean {
    return this.#bound !== undefined && this.#samples() === this.#bound.samples;
  }

  async #look(): Promise<void> {
    const root = await fileOf(this.directory);
    const samples = this.#samples();
    for (const name of SITE_DIRECTORIES) this.#folder(name);
    await verifySite(this.directory, this.#identity);
    // If the path changed at that moment, the marker of another folder may have been read.
    const found = { root: await fileOf(this.directory), samples: this.#samples() };
    if (found.root !== root || found.samples !== samples) throw this.#moving();
    if (this.#bound !== undefined && found.samples !== this.#bound.samples)
      await this.#rebind(this.#bound, found);
    this.#bound = found;
  }

  /**
   * A marker applies to the folder that it is in. A new, empty `samples/` is accepted; one with
   * samples may belong to another site.
   */
  async #rebind(before: Bound, found: Bound): Promise<void> {
    if (found.root === before.root && !(await isEmpty(join(this.directory, 'samples'))))
      throw this.#replaced();
    this.#moved();
  }

  #samples(): string {
    return this.#folder('samples');
  }

  #folder(name: (typeof SITE_DIRECTORIES)[number]): string {
    const found = this.#calls.lstat(join(this.directory, name));
    if (found.isDirectory()) return `${found.dev}:${found.ino}`;
    throw new FilesystemError({
      code: 'SITE_UNREACHABLE',
      remedy: 'retry',
      message: `Expected ${name}/ in the directory of site ${this.#identity.site} to be a folder, as its initialisation made it, found a link or a file (ENOTDIR). Put the folder itself there; what waits is tried again.`,
    });
  }

  #moving(): FilesystemError {
    return new FilesystemError({
      code: 'SITE_UNREACHABLE',
      remedy: 'retry',
      message: `Expected the directory of site ${this.#identity.site} to stay the folder whose marker was read, found another in its place. Its marker is read before the next write; what waits is tried again.`,
    });
  }

  #replaced(): FilesystemError {
    return new FilesystemError({
      code: 'SITE_REPLACED',
      message: `Expected samples/ in the directory of site ${this.#identity.site} to stay the folder it was at the start, found another in the same directory: its marker does not say whose it is. See whether these are the site's own samples, and start again.`,
      remedy: 'stop',
    });
  }
}

/** Follows symbolic links, because a site's directory may be one. */
async function fileOf(path: string): Promise<string> {
  const { dev, ino } = await stat(path, { bigint: true });
  return `${dev}:${ino}`;
}
