import { expect, it } from 'vitest';
import { AppendClock } from '../src/append-clock.ts';

it("follows the latest append time and accepts differences of brokers' clocks within the margin", () => {
  const clock = new AppendClock('residency.policy', 1_000);
  expect(clock.latest).toBe(0);
  clock.see(5_000);
  clock.see(4_000);
  expect(clock.latest).toBe(5_000);
});

it("stops a view if the log's append time goes back by more", () => {
  const clock = new AppendClock('residency.policy', 1_000);
  clock.see(5_000);
  expect(() => {
    clock.see(3_999);
  }).toThrow(
    expect.objectContaining({
      code: 'APPEND_TIME_WENT_BACK',
      remedy: 'stop',
      message: expect.stringContaining('1001 ms'),
    }),
  );
});
