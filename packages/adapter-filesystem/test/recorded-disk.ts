import { join, posix } from 'node:path';
import { candidatesOf } from '../src/candidate-line.ts';
import { DISK_CALLS } from '../src/disk-calls.ts';
import type { DiskCalls } from '../src/disk-calls.ts';

/** A file or a folder on the disk of the model. */
interface Inode {
  content: Buffer;
  /** The content that a power failure leaves; `undefined`: nobody knows. */
  synced: Buffer | undefined;
}

/**
 * Every call, on a model of what a power failure may leave. Only what was synced is certain: a file's
 * content once the file is synced, and a name once its folder is. Anything else may be on the disk or
 * not, in any order.
 */
export class RecordedDisk {
  readonly calls: DiskCalls;
  /** The name of each call so far, with the path. */
  readonly trace: string[] = [];
  readonly #root: string;
  readonly #names = new Map<string, Inode>();
  readonly #durable = new Map<string, Inode>();
  readonly #open = new Map<number, string>();

  /** `folders`: those that exist and are durable. `after`: called after each call. */
  constructor(root: string, folders: readonly string[], after: () => void = () => undefined) {
    this.#root = root;
    for (const folder of folders) {
      this.#add(folder, Buffer.alloc(0));
      this.#durable.set(folder, this.#inode(folder));
    }
    const noted = <T>(call: string, path: string, result: T): T => {
      this.trace.push(`${call} ${path}`);
      after();
      return result;
    };
    const opened = (path: string, file: number): number => {
      const name = this.#relative(path);
      if (!this.#names.has(name)) this.#add(name, Buffer.alloc(0));
      this.#open.set(file, name);
      return noted('open', name, file);
    };
    this.calls = {
      ...DISK_CALLS,
      create: async (path, mode) => opened(path, await DISK_CALLS.create(path, mode)),
      open: (path, flags, mode) => opened(path, DISK_CALLS.open(path, flags, mode)),
      write: async (file, bytes) => {
        const written = await DISK_CALLS.write(file, bytes);
        const inode = this.#inode(this.#nameOf(file));
        inode.content = Buffer.concat([inode.content, bytes.subarray(0, written)]);
        return noted('write', this.#nameOf(file), written);
      },
      sync: async (file) => {
        const name = this.#nameOf(file);
        const inode = this.#inode(name);
        const { content } = inode;
        const names = this.#in(name, this.#names);
        await DISK_CALLS.sync(file);
        inode.synced = content;
        for (const [gone] of this.#in(name, this.#durable)) this.#durable.delete(gone);
        for (const [each, one] of names) this.#durable.set(each, one);
        noted('sync', name, undefined);
      },
      mkdir: (path) => {
        const made = DISK_CALLS.mkdir(path);
        if (made) this.#add(this.#relative(path), Buffer.alloc(0));
        return noted('mkdir', this.#relative(path), made);
      },
      link: (from, to) => {
        DISK_CALLS.link(from, to);
        this.#names.set(this.#relative(to), this.#inode(this.#relative(from)));
        noted('link', this.#relative(to), undefined);
      },
      rename: (from, to) => {
        DISK_CALLS.rename(from, to);
        this.#names.set(this.#relative(to), this.#inode(this.#relative(from)));
        this.#names.delete(this.#relative(from));
        noted('rename', this.#relative(to), undefined);
      },
      unlink: (path) => {
        DISK_CALLS.unlink(path);
        this.#names.delete(this.#relative(path));
        noted('unlink', this.#relative(path), undefined);
      },
    };
  }

  /** Files under a folder that a power failure may leave, with whether their content is certain. */
  possible(under: string): { path: string; content: Buffer; whole: boolean }[] {
    return [...this.#names, ...this.#durable]
      .filter(([path]) => path.startsWith(`${under}/`) && path.split('/').length > 2)
      .map(([path, { content, synced }]) => ({
        path,
        content,
        whole: synced?.equals(content) === true,
      }));
  }

  /** Whether a power failure leaves this file, with its folders. */
  isDurable(path: string): boolean {
    return (
      path === '.' ||
      // A name that was removed may be gone.
      (this.#durable.get(path) !== undefined &&
        this.#names.get(path) === this.#durable.get(path) &&
        this.isDurable(posix.dirname(path)))
    );
  }

  /** Whether a power failure leaves a line for these bytes. */
  hasCandidate(submission: string, sealedSha256: string): boolean {
    return [...this.#durable].some(
      ([path, { synced }]) =>
        path.startsWith('metadata/') &&
        this.isDurable(path) &&
        candidatesOf(synced ?? Buffer.alloc(0), submission).some(
          ({ metadata }) => metadata['sealed-sha256'] === sealedSha256,
        ),
    );
  }

  #add(name: string, content: Buffer): void {
    this.#names.set(name, { content, synced: undefined });
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new Error(`No ${name} on the model's disk.`);
    return inode;
  }

  #nameOf(file: number): string {
    return this.#open.get(file) ?? '';
  }

  #in(folder: string, names: ReadonlyMap<string, Inode>): [string, Inode][] {
    return [...names].filter(([name]) => name !== '.' && posix.dirname(name) === folder);
  }

  #relative(path: string): string {
    const relative = path.slice(join(this.#root, '/').length);
    return relative === '' ? '.' : relative;
  }
}

export class Killed extends Error {}

/** Which call is broken, and whether its effect persists. */
export interface Break {
  readonly nth: number;
  readonly persists: boolean;
  /** `killed`: no later call has an effect. `failed`: only this one fails, with EIO. */
  readonly kind: 'killed' | 'failed';
}

/** Breaks one of the calls that change something. `made` counts them; `broke`: the call was reached. */
export function brokenDisk({ nth, persists, kind }: Break): {
  readonly calls: DiskCalls;
  made(): number;
  broke(): boolean;
} {
  let made = 0;
  let broke = false;
  const failure = (): Error => {
    broke = true;
    return kind === 'killed'
      ? new Killed()
      : Object.assign(new Error('EIO: injected'), { code: 'EIO', syscall: 'injected' });
  };
  const isBroken = (): boolean => {
    made += 1;
    return kind === 'killed' ? made > nth : made === nth + 1;
  };
  /** The call itself if it is the first broken one and persists. */
  const hasEffect = (): boolean => persists && made === nth + 1;
  const through =
    <Args extends unknown[], T>(call: (...args: Args) => T) =>
    (...args: Args): T => {
      const broken = isBroken();
      if (!broken || hasEffect()) {
        const result = call(...args);
        if (!broken) return result;
      }
      throw failure();
    };
  const throughAsync =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      const broken = isBroken();
      if (!broken || hasEffect()) {
        const result = await call(...args);
        if (!broken) return result;
      }
      throw failure();
    };
  return {
    calls: {
      ...DISK_CALLS,
      create: throughAsync((path: string, mode: number) => DISK_CALLS.create(path, mode)),
      open: through((path: string, flags: string | number, mode: number) =>
        DISK_CALLS.open(path, flags, mode),
      ),
      write: throughAsync((file: number, bytes: Uint8Array) => DISK_CALLS.write(file, bytes)),
      sync: throughAsync((file: number) => DISK_CALLS.sync(file)),
      mkdir: through((path: string) => DISK_CALLS.mkdir(path)),
      link: through((from: string, to: string) => DISK_CALLS.link(from, to)),
      rename: through((from: string, to: string) => DISK_CALLS.rename(from, to)),
      unlink: through((path: string) => DISK_CALLS.unlink(path)),
    },
    made: () => made,
    broke: () => broke,
  };
}
