import { FakeClock } from './fake-clock.ts';
import { MemorySystem } from './memory-system.ts';
import { Disk, ReconcilerProcess } from './reconciler-process.ts';
import type { ProcessOptions } from './reconciler-process.ts';

/** So many objects, in both regions and partitions. */
export function systemOf(objects: number): MemorySystem {
  const system = new MemorySystem();
  for (let number = 0; number < objects; number += 1)
    system.store(`s${number}`, number % 3 === 2 ? 'moscow' : 'zurich', number % 2);
  return system;
}

/** Of a process that is then told to stop. */
export async function passes(
  system: MemorySystem,
  times = 1,
  options: ProcessOptions = {},
  disk = new Disk(),
  clock = new FakeClock(),
): Promise<ReconcilerProcess> {
  const process = new ReconcilerProcess(system, disk, clock, options);
  await process.passedTimes(times);
  process.stop();
  await process.ended;
  return process;
}

export const linesOf = (process: ReconcilerProcess, level: string): readonly string[] =>
  process.lines
    .filter((line) => line.level === level)
    .map(({ fields }) => `${fields?.code} ${fields?.site}`);
