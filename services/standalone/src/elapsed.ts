import { uptime } from 'node:os';

/** Milliseconds since the machine started, including sleep. */
export const elapsed = (): number => uptime() * 1_000;
