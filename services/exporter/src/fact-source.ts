import type { Source } from './source.ts';

/** A source of one fact. `show` sets its metrics; `undefined`: it is unknown. */
export function factSource<T>(
  name: Source['name'],
  read: (signal: AbortSignal) => Promise<T>,
  show: (fact: T | undefined) => void,
): Source {
  return {
    name,
    read: async (signal) => {
      const fact = await read(signal);
      return () => {
        show(fact);
      };
    },
    forget: () => {
      show(undefined);
    },
  };
}
