import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/**
 * Files that mostly wait begin first and overlap; computation, which fills every core, fills the
 * end. A size says nothing here: the proofs are the shortest files and run longest.
 */
const ORDER: readonly RegExp[] = [
  /\/test\/proofs\/.*\.(?:fault|int)\.test\.ts$/,
  /\.fault\.test\.ts$/,
  /\.int\.test\.ts$/,
  /\.search\.test\.ts$/,
  /\.contract\.test\.ts$/,
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const place = ORDER.findIndex((suffix) => suffix.test(moduleId));
  return place === -1 ? ORDER.length : place;
}
