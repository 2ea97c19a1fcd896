/** The first policy version, the reviewed file itself. */
export const FIRST_POLICY = new URL('../../../policy/residency-1.json', import.meta.url);

/** Of that file's bytes. */
export const FIRST_POLICY_SHA256 =
  '9c6e6aa25d23614f04a70f8eda2086e6062ea54e77182d4e6fe1b9de93a03eeb';
