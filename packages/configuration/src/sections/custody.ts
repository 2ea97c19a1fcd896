import { defined } from '@residency/defined';
import { complete } from '../environment-reader.ts';
import type { EnvironmentReader } from '../environment-reader.ts';

export interface CustodyConfiguration {
  /** The region whose samples this custodian looks after. A custodian requires it. */
  readonly region?: string;
  /** A folder for one custodian only. */
  readonly stateDirectory?: string;
  /** Says who may have samples; absent: nobody, by this custodian. */
  readonly vaultDirectory?: string;
  /** From the end of one round without copies to the next, milliseconds. */
  readonly intervalMs: number;
}

export function readCustody(reader: EnvironmentReader): CustodyConfiguration | undefined {
  const region = reader.get('RESIDENCY_CUSTODIAN_REGION');
  const stateDirectory = reader.get('RESIDENCY_CUSTODIAN_STATE_DIR');
  const vaultDirectory = reader.get('RESIDENCY_VAULT_DIR');
  const read = complete({ intervalMs: reader.get('RESIDENCY_CUSTODIAN_INTERVAL_MS') });
  return read === undefined
    ? undefined
    : { ...read, ...defined({ region, stateDirectory, vaultDirectory }) };
}
