import type { ConsentHistory } from '@residency/consent';

export interface ConsentHistories {
  /** Empty: never granted. Throws coded errors where the view can not be read; the caller retries. */
  history(consentId: string): Promise<ConsentHistory>;
}
