import { usage } from '../terminal/cli-error.ts';

/** Throws `USAGE` unless it can be the id of an order or a hold. */
export function requireAct(text: string, what: 'hold' | 'order'): void {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw usage(`Expected the id of the ${what}, a UUID in lower case, found something else.`);
}
