/** The name of the log in positions. */
export const LOG = 'sim-1';
export const GROUP = 'residency-router';
/** The region whose sites may owe copies. */
export const CUSTODY_REGION = 'zurich';
export const CUSTODIAN_GROUP = `residency-custodian-${CUSTODY_REGION}`;

/** Every site there is, in use or not, and its region. */
export const REGION_OF: Readonly<Record<string, string>> = {
  'zrh-1': 'zurich',
  'zrh-2': 'zurich',
  'zrh-3': 'zurich',
  'mow-1': 'moscow',
};

/** The salt of every record that the world writes. */
export const SALT = '5a'.repeat(16);
