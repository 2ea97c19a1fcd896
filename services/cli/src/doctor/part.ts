import { hasCode } from '@residency/coded-error';
import { within } from '@residency/waiting';
import { needed, noAnswer } from './doctor-error.ts';

export interface CheckOptions {
  /** Time limit of each part and of each check, milliseconds. */
  readonly patienceMs: number;
  /** Aborts when the command is interrupted. */
  readonly signal: AbortSignal;
}

/** A value that several checks need, such as settings or a connection. It is created at the first use. */
export class Part<T> {
  readonly name: string;
  readonly #make: () => Promise<T>;
  #value: Promise<T> | undefined;

  constructor(name: string, make: () => Promise<T>) {
    this.name = name;
    this.#make = make;
  }

  /** Throws the error with which its creation failed. */
  async value(): Promise<T> {
    this.#value ??= this.#make();
    return await this.#value;
  }

  /** For parts and checks that need this one: throws `NEEDED`, which names the part that failed first. */
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

/**
 * Runs `work` with the values of `parts`. Throws `NEEDED` if a part failed, `NO_ANSWER` if `work`
 * takes longer than `patienceMs`.
 */
export async function given<const P extends readonly Part<unknown>[], T>(
  options: CheckOptions,
  parts: P,
  work: (values: ValuesOf<P>, signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one value for each part, in their order
  const values = (await Promise.all(parts.map((part) => part.needed()))) as unknown as ValuesOf<P>;
  return await answered(options, async (signal) => await work(values, signal));
}

/**
 * Throws `NO_ANSWER` after `patienceMs`: the signal of `work` is aborted, and its result is
 * ignored.
 */
export async function answered<T>(
  { patienceMs, signal }: CheckOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return await within({ ms: patienceMs, signal, late: () => noAnswer(patienceMs) }, work);
}
