/** When worlds begin: 2026-01-01T00:00:00Z. */
export const EPOCH = 1_767_225_600_000;
