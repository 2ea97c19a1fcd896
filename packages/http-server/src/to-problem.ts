import { codeOf, remedyOf } from '@residency/coded-error';
import { Problem, unavailable } from './problem.ts';
import type { ServiceWords } from './server-options.ts';

/**
 * Maps any exception of a handler or the framework to a problem. Foreign messages may quote input,
 * so none is passed on.
 */
export function toProblem(error: unknown, service: ServiceWords): Problem {
  if (error instanceof Problem) return error;
  // Only our own codes, which are literals: errors of the framework and of Node have no remedy.
  const code = codeOf(error);
  if (code !== undefined) return dependencyFailed(code, error, service);
  switch (error instanceof Error && 'statusCode' in error ? error.statusCode : undefined) {
    case 400:
    case 414:
      return new Problem({
        kind: 'invalid-request',
        code: 'MALFORMED_REQUEST',
        detail:
          'Expected a well-formed HTTP request; found a path or header that is not. Correct it and send it again.',
      });
    case 415:
      return new Problem({
        kind: 'unsupported-media-type',
        code: 'CONTENT_TYPE_UNSUPPORTED',
        detail:
          'Expected a content type that is a media type (RFC 9110 §8.3); found something else. Correct it and send it again.',
      });
    default:
      return new Problem({
        kind: 'internal',
        code: 'INTERNAL',
        detail: `Expected to answer; found a defect in the ${service.name}. Nothing of this request was acknowledged; its operator finds the cause in the log.`,
        cause: error,
      });
  }
}

/**
 * What the service depends on failed. A failure with remedy `retry` passes soon; any other needs a
 * person first.
 */
function dependencyFailed(
  code: string,
  error: unknown,
  { name, dependency }: ServiceWords,
): Problem {
  const seconds = remedyOf(error) === 'retry' ? 5 : 30;
  return unavailable(
    code,
    `Expected the ${dependency} behind the ${name} to accept this; found that it cannot now (${code}). Nothing of this request was acknowledged: send it again after the time in Retry-After.`,
    seconds,
    error,
  );
}
