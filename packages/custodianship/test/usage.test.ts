import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Usage } from '../src/usage.ts';

const step = fc.record({ after: fc.nat(20), bytes: fc.nat(100), forget: fc.boolean() });

test('a look says what a count over all says, whatever was forgotten before it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat(60), (steps, back) => {
      const usage = new Usage();
      const all: { readonly at: number; readonly bytes: number }[] = [];
      let now = 1_000;
      for (const { after, bytes, forget } of steps) {
        now += after;
        usage.add(now, bytes);
        all.push({ at: now, bytes });
        if (forget) expect(usage.forget(now - 100)).toBe(true);
        const since = now - back;
        const counted = all.filter(({ at }) => at >= since);
        expect(usage.since(since)).toEqual({
          count: counted.length,
          bytes: counted.reduce((sum, one) => sum + one.bytes, 0),
        });
      }
      expect(usage.forget(now + 1)).toBe(false);
      expect(usage.since(0)).toEqual({ count: 0, bytes: 0 });
    }),
    { numRuns: 500 },
  );
});
