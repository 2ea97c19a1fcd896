import type { FastifyRequest } from 'fastify';
import { PROBLEM_CONTENT_TYPE, Problem } from './problem.ts';
import type { ServiceWords } from './server-options.ts';

// The HTTP framework's names for these types: this package opens no socket of its own.
type Socket = FastifyRequest['raw']['socket'];

/**
 * Answers input that never became a request (Node `clientError`). The client controls it, so only
 * its kind is named. Then the connection ends.
 */
export function answerClientError(
  error: Error & { readonly code?: string },
  socket: Socket,
  service: ServiceWords,
): void {
  if (socket.destroyed) return;
  // A request on this connection may be partly answered already. A second status line would be read
  // as its body.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error.code, service);
  const body = JSON.stringify(problem.document(service.name));
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Error'}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function problemOf(code: string | undefined, { headersAdvice }: ServiceWords): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem({
      kind: 'timeout',
      code: 'REQUEST_TIMEOUT',
      detail:
        'Expected the whole request within its time; found it unfinished. Send it again, faster.',
    });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem({
      kind: 'headers-too-large',
      code: 'HEADERS_TOO_LARGE',
      detail: `Expected header fields of at most 32 KiB; found more. ${headersAdvice}`,
    });
  }
  return new Problem({
    kind: 'invalid-request',
    code: 'MALFORMED_REQUEST',
    detail: 'Expected HTTP/1.1; found something else. Correct the client.',
  });
}
