import { hasCode } from '@residency/coded-error';
import { needed, noAnswer } from './doctor-error.ts';

export interface Terms {
  /** Of each part and check by itself, milliseconds. */
  readonly patienceMs: number;
  /** The command's. */
  readonly signal: AbortSignal;
}

/** Something that checks share, made when it is first asked for: settings, a connection. */
export class Part<T> {
  readonly name: string;
  readonly #make: () => Promise<T>;
  #value: Promise<T> | undefined;

  constructor(name: string, make: () => Promise<T>) {
    this.name = name;
    this.#make = make;
  }

  /** Throws why it is not there. */
  async value(): Promise<T> {
    this.#value ??= this.#make();
    return await this.#value;
  }

  /** For those that build on it: throws `NEEDED` with the name of what is really missing. */
  async needed(): Promise<T> {
    try {
      return await this.value();
    } catch (error) {
      throw hasCode(error, 'NEEDED') ? error : needed(this.name, error);
    }
  }
}

type ValuesOf<P extends readonly Part<unknown>[]> = {
  readonly [K in keyof P]: P[K] extends Part<infer T> ? T : never;
};

/** Does `work` with the parts it needs. Throws `NEEDED` where one is not there, `NO_ANSWER` where the work itself takes too long. */
export async function given<const P extends readonly Part<unknown>[], T>(
  terms: Terms,
  parts: P,
  work: (values: ValuesOf<P>, signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one value for each part, in their order
  const values = (await Promise.all(parts.map((part) => part.needed()))) as unknown as ValuesOf<P>;
  return await within(terms, async (signal) => await work(values, signal));
}

/** What comes later than that is forgotten; `work` is told by its signal. */
export async function within<T>(
  { patienceMs, signal }: Terms,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(noAnswer(patienceMs));
  }, patienceMs);
  const interrupted = (): void => {
    reject(noAnswer(patienceMs));
  };
  signal.addEventListener('abort', interrupted, { once: true });
  try {
    return await Promise.race([work(AbortSignal.any([signal, over.signal])), silence]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupted);
    over.abort();
  }
}
