/** What an event says of an access. */
export const ACCESS_STATES = ['requested', 'approved', 'refused', 'accessed'] as const;
export type AccessEventState = (typeof ACCESS_STATES)[number];
