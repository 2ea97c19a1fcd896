import type { ConsentHistory } from '@residency/consent';

export interface ConsentHistories {
  /** Empty: never granted. Throws coded errors if the view cannot be read. The caller retries. */
  history(consentId: string): Promise<ConsentHistory>;
}
