import { Problem } from './problem.ts';

/** Paths that exist, and their methods as `Allow` names them (RFC 9110 §10.2.1). */
export type AllowedMethods = readonly [path: RegExp, allow: string];

/** 405 for a path that exists under another method, otherwise 404. */
export function notFound(
  url: string,
  service: string,
  methods: readonly AllowedMethods[],
): Problem {
  const [path = ''] = url.split('?', 1);
  const allow = methods.find(([pattern]) => pattern.test(path))?.[1];
  if (allow === undefined)
    return new Problem({
      kind: 'not-found',
      code: 'PATH_UNKNOWN',
      detail: `Expected a path of the ${service}; found another. GET / lists them.`,
    });
  return new Problem({
    kind: 'method-not-allowed',
    code: 'METHOD_NOT_ALLOWED',
    detail: `Expected ${allow} here; found another method.`,
    headers: { allow },
  });
}
