/** Something that will happen; what is cancelled does not. */
export interface Pending {
  readonly at: number;
  readonly seq: number;
  /** Whose it is; absent: the world's. */
  readonly owner: Owner | undefined;
  readonly what: string;
  run: (() => void) | undefined;
}

/** A process of the world, as the scheduler sees it. */
export interface Owner {
  readonly name: string;
  readonly state: 'running' | 'frozen' | 'dead';
  readonly parked: Pending[];
}

/**
 * Every pending step of a world in the order of a virtual clock. One step runs at a time; equal
 * times run in the order they were asked for.
 */
export class Scheduler {
  readonly #heap: Pending[] = [];
  #seq = 0;
  #now = 0;

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  after(delay: number, owner: Owner | undefined, what: string, run: () => void): Pending {
    const pending: Pending = {
      at: this.#now + Math.max(0, delay),
      seq: this.#seq,
      owner,
      what,
      run,
    };
    this.#seq += 1;
    this.#push(pending);
    return pending;
  }

  cancel(pending: Pending): void {
    pending.run = undefined;
  }

  /**
   * What happens next; `undefined`: nothing is left. Steps of dead processes are dropped, those of
   * frozen ones wait for their thaw.
   */
  next(): Pending | undefined {
    for (let pending = this.#pop(); pending !== undefined; pending = this.#pop()) {
      if (pending.run === undefined || pending.owner?.state === 'dead') continue;
      this.#now = Math.max(this.#now, pending.at);
      if (pending.owner?.state === 'frozen') pending.owner.parked.push(pending);
      else return pending;
    }
    return undefined;
  }

  /** What waited for its process goes on, in its order. */
  thaw(owner: Owner): void {
    for (const { what, run, owner: of } of owner.parked.splice(0))
      if (run !== undefined) this.after(0, of, what, run);
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let at = heap.push(pending) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(pending, heap[parent])) break;
      heap[at] = heap[parent] ?? pending;
      at = parent;
    }
    heap[at] = pending;
  }

  #pop(): Pending | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (last === undefined || top === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child += 1;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child] ?? last;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Pending | undefined, b: Pending | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.seq < b.seq);
}
