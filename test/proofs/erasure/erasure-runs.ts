import { openStack } from '../../stack/index.ts';
import { erasureRun } from './erasure-run.ts';
import type { ErasureOptions, ErasureResult } from './erasure-run.ts';

/** A run on servers of its own. */
export async function runErasures(
  options: ErasureOptions & { readonly longRunning: boolean },
): Promise<ErasureResult> {
  const stack = await openStack({
    brokers: 1,
    sites: true,
    // What Redis saves is searched for canaries.
    redis: { settings: { rdbcompression: 'no' } },
    longRunning: options.longRunning,
  });
  try {
    return await erasureRun(stack, options);
  } finally {
    await stack.close();
  }
}
