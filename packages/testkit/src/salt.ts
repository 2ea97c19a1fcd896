/** Any salt of a record: tests need no other. */
export const SALT = 'a5'.repeat(16);
