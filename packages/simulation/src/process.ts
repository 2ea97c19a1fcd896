import { AsyncLocalStorage } from 'node:async_hooks';
import type { Random } from './random.ts';
import type { Owner, Pending, Scheduler } from './scheduler.ts';
import type { Surroundings } from './surroundings.ts';

const running = new AsyncLocalStorage<SimProcess>();

/**
 * One operating system process of the world: what runs in it reads its clock and chance, and ends
 * with it.
 */
export class SimProcess implements Owner {
  readonly name: string;
  readonly world: Surroundings;
  readonly random: Random;
  readonly parked: Pending[] = [];
  readonly stop = new AbortController();
  state: Owner['state'] = 'running';

  constructor(world: Surroundings, name: string, random: Random) {
    this.world = world;
    this.name = name;
    this.random = random;
  }

  get scheduler(): Scheduler {
    return this.world.scheduler;
  }

  after(delay: number, what: string, run: () => void): Pending {
    return this.scheduler.after(delay, this, what, () => {
      running.run(this, run);
    });
  }

  /** Runs `main` in this process; `ended` is told how it ended, unless it was killed before. */
  start(main: (process: SimProcess) => Promise<void>, ended: (error: unknown) => void): void {
    this.after(0, 'start', () => {
      const reportEnd = (error: unknown): void => {
        if (this.state !== 'dead') ended(error);
      };
      main(this).then(() => {
        reportEnd(undefined);
      }, reportEnd);
    });
  }

  /** SIGTERM: its own code hears of it. */
  terminate(): void {
    running.run(this, () => {
      this.stop.abort();
    });
  }

  /** SIGKILL: nothing of it happens any more; requests on their way still arrive. */
  die(): void {
    this.state = 'dead';
    this.parked.length = 0;
  }

  freeze(): void {
    if (this.state === 'running') this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    this.scheduler.thaw(this);
  }
}

/** The process whose code is running. */
export function here(): SimProcess {
  const process = running.getStore();
  if (process === undefined)
    throw new Error("Expected code of a simulated process, found the world's own.");
  return process;
}

/** The same, if any. */
export function hereIfAny(): SimProcess | undefined {
  return running.getStore();
}

/** Runs the world's own code, which belongs to no process. */
export function asWorld<T>(run: () => T): T {
  return running.exit(run);
}
