import { Problem } from './problem.ts';

/** 127.0.0.0/8 in its one usual spelling. */
const LOOPBACK_V4 = /^127(?:\.(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])){3}$/;

/**
 * True for a host that only this machine reaches: `localhost`, `::1` or in 127.0.0.0/8. Other
 * spellings count as public.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || LOOPBACK_V4.test(name);
}

/**
 * Without tokens, access to loopback is the permission, and a browser on this machine has it too. A
 * page of another origin could use it by a form (detected by `Origin`) or by DNS rebinding
 * (detected by `Host`).
 */
export function refuseForeignPages(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  service: string,
): void {
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
    detail: `Expected a request to localhost or a loopback address, from no other origin; found another Host or Origin. Call the ${service} by a loopback name, or configure tokens.`,
  });
}
