import { isDeepStrictEqual } from 'node:util';
import type { ConsentHistory } from '@residency/consent';
import type { ConsentProjection, ProjectedPosition } from '../src/ports/consent-projection.ts';

type Step = Parameters<ConsentProjection['apply']>[0];
type Answer = Awaited<ReturnType<ConsentProjection['apply']>>;

export interface Kept {
  readonly position: ProjectedPosition | undefined;
  readonly histories: ReadonlyMap<string, ConsentHistory>;
}

/**
 * What Redis does for the projector, in memory; each call takes a turn of the event loop before and
 * after it.
 */
export class MemoryProjection implements ConsentProjection {
  kept: Kept = { position: undefined, histories: new Map() };
  readonly #log: string;
  #generations = 0;

  constructor(log = 'log-1') {
    this.#log = log;
  }

  async position(): Promise<ProjectedPosition | undefined> {
    return await turns(() => this.kept.position);
  }

  async histories(ids: readonly string[]): Promise<Kept> {
    return await turns(() => ({
      position: this.kept.position,
      histories: new Map([...this.kept.histories].filter(([id]) => ids.includes(id))),
    }));
  }

  async apply({ expected, to, histories }: Step): Promise<Answer> {
    return await turns((): Answer => {
      const found = this.kept.position;
      if (!isDeepStrictEqual(found, expected)) return { applied: false, found };
      const generation = expected?.generation ?? `g-${(this.#generations += 1)}`;
      const position = { log: this.#log, generation, ...to };
      this.kept = {
        position,
        histories: new Map([...(expected === undefined ? [] : this.kept.histories), ...histories]),
      };
      return { applied: true, position };
    });
  }

  flush(): void {
    this.kept = { position: undefined, histories: new Map() };
  }
}

async function turns<T>(work: () => T): Promise<T> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  const result = work();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  return result;
}
