import { explain } from './explain.ts';
import type { Finding } from './finding.ts';

/** Looks at one thing. What it throws is a finding too. */
export interface Check {
  readonly name: string;
  readonly look: () => Promise<readonly Finding[]>;
}

/** All at once, told in their order: whatever one of them meets, the others are told. */
export async function* runChecks(checks: readonly Check[]): AsyncGenerator<Finding> {
  const looks = checks.map(lookAt);
  for (const look of looks) yield* await look;
}

async function lookAt({ name, look }: Check): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [explain(name, error)];
  }
}
