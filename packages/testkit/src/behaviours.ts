import { describe, expect, it } from 'vitest';

/** One promise of a port, as a test. */
export interface Behaviour<Harness> {
  readonly name: string;
  readonly check: (harness: Harness) => Promise<void>;
}

/** Runs every behaviour of the port, each with a harness of its own. */
export function describeBehaviours<Harness extends { readonly close: () => Promise<void> }>(
  adapter: string,
  port: string,
  behaviours: readonly Behaviour<Harness>[],
  open: () => Promise<Harness>,
): void {
  describe(`${adapter} as a ${port}`, () => {
    it.each(behaviours)('$name', async ({ check }) => {
      expect.hasAssertions();
      const harness = await open();
      try {
        await check(harness);
      } finally {
        await harness.close();
      }
    });
  });
}
