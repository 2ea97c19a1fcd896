import type { KafkaCustodianOptions } from '../../src/custody-log/custodian-options.ts';
import type { KafkaSettings } from '../../src/kafka-settings.ts';
import { startChild } from '../submission-log/child.ts';
import type { Child } from '../submission-log/child.ts';

export interface CustodianPlan {
  readonly settings: KafkaSettings;
  readonly options: Partial<KafkaCustodianOptions>;
  /** The wait after each append. */
  readonly paceMs: number;
}

/** A custodian of Zurich in a process of its own. */
export function startCustodian(plan: CustodianPlan): Child {
  return startChild(new URL('./children/lead.ts', import.meta.url), plan);
}
