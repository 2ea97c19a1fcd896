/** The first policy version, the reviewed file itself. */
export const FIRST_POLICY = new URL('../../../policy/residency-1.json', import.meta.url);

/** Of that file's bytes. */
export const FIRST_POLICY_SHA256 =
  '521a5075d00825670d2d92c9961fdd87139b2a17e12f205a9416399323a6d703';
