import { randomBytes } from 'node:crypto';

/** A new salt for one record of the control log. */
export function newSalt(): string {
  return randomBytes(16).toString('hex');
}
