import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface ProjectingConfiguration {
  /** `erase`: a withdrawn consent orders the erasure of its samples. */
  readonly onWithdrawal: 'keep' | 'erase';
}

export function readProjecting(reader: EnvironmentReader): ProjectingConfiguration | undefined {
  return complete({ onWithdrawal: reader.get('RESIDENCY_ON_WITHDRAWAL') });
}
