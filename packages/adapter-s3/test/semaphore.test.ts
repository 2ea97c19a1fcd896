import { expect, test } from 'vitest';
import pLimit from 'p-limit';

test('the semaphore is fair: no more run at a time than there are slots, in the order they came, also where some fail', async () => {
  const semaphore = pLimit(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      semaphore(async () => {
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
  await expect(semaphore(async () => 'free')).resolves.toBe('free');
});
