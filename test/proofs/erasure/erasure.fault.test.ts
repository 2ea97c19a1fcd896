import { expect, onTestFailed, test } from 'vitest';
import { runErasures } from './erasure-runs.ts';

// `npm run proof:erasure` has thousands of samples.
test(
  'whatever is killed, frozen or away, what orders name is erased at every site, nothing comes back, and nothing else is gone',
  { timeout: 3_600_000 },
  async () => {
    const notes: string[] = [];
    onTestFailed(() => {
      console.log(notes.join('\n'));
    });
    const { findings, counts } = await runErasures({
      seed: 1_000_041,
      samples: 200,
      longRunning: false,
      note: (line) => {
        notes.push(line);
      },
    });
    expect(findings).toEqual([]);
    // Otherwise the run would have tested nothing.
    expect(counts.stored).toBeGreaterThan(150);
    expect(counts.erased).toBeGreaterThan(50);
    expect(counts.inParts).toBeGreaterThanOrEqual(5);
    expect(counts.held).toBeGreaterThan(10);
    expect(counts.refusedErased).toBeGreaterThan(5);
    expect(counts.redriven).toBeGreaterThan(0);
  },
);
