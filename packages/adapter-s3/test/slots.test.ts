import { expect, test } from 'vitest';
import { Slots } from '../src/slots.ts';

test('no more run at a time than there are slots, in the order they came, also where some fail', async () => {
  const slots = new Slots(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      slots.with(async () => {
        order.push(index);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        running -= 1;
        if (index % 3 === 0) throw new Error('failed');
        return index;
      }),
    ),
  );
  expect([most, running]).toEqual([3, 0]);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(7);
  await expect(slots.with(async () => 'free')).resolves.toBe('free');
});
