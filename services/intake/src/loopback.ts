import { isIPv4 } from 'node:net';
import { Problem } from './problem.ts';

/**
 * True for a host that only this machine reaches: `localhost`, `::1` or in 127.0.0.0/8. Other
 * spellings count as public.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'));
}

/**
 * Without tokens, access to loopback is the permission, and a browser on this machine has it too. A
 * page of another origin could use it by a form (detected by `Origin`) or by DNS rebinding
 * (detected by `Host`).
 */
export function refuseForeignPages(headers: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}): void {
  const host = headers.host ?? '';
  const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host);
  const here = name !== null && isLoopback(name[1] ?? name[2] ?? '');
  if (
    here &&
    (headers.origin === undefined ||
      headers.origin.toLowerCase() === `http://${host.toLowerCase()}`)
  )
    return;
  throw new Problem({
    kind: 'forbidden',
    code: 'FOREIGN_ORIGIN',
    detail:
      'Expected a request to localhost or a loopback address, from no other origin; found another Host or Origin. Call the intake by a loopback name, or configure tokens.',
  });
}
