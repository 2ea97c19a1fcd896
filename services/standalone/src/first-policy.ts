/** The first policy version, the reviewed file itself. */
export const FIRST_POLICY = new URL('../../../policy/residency-1.json', import.meta.url);
