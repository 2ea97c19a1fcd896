import { expect, test } from 'vitest';
import { intakeTable, measureIntake } from './intake.ts';

test('the benchmark of the intake measures it and a bare server in the same round', async () => {
  const options = { rounds: 1, perSecond: 20, seconds: 1, warmUpSeconds: 1, bytes: 1_024 };
  const rounds = await measureIntake(options);
  for (const { intake, floor } of rounds)
    for (const { accepted, refused, cpu } of [intake, floor]) {
      expect([accepted, refused]).toEqual([20, 0]);
      expect(cpu).toBeGreaterThan(0);
    }
  expect(intakeTable(options, rounds).match(/\| (?:intake|floor) \| 1 KiB \|/g)).toHaveLength(2);
});
