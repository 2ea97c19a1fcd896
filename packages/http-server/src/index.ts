export { BodyBudget } from './body-budget.ts';
export { HTTP_SERVER_ERROR_CODES, HttpServerError } from './http-server-error.ts';
export type { HttpServerErrorCode } from './http-server-error.ts';
export { holdConnection } from './hold-connection.ts';
export { isLoopback } from './loopback.ts';
export { PROBLEM_CONTENT_TYPE, Problem, unavailable } from './problem.ts';
export type { ProblemInit, ProblemKind } from './problem.ts';
export { serve } from './serve.ts';
export type { ServeOptions, Served } from './serve.ts';
export { createServer } from './server.ts';
export type { HttpServer } from './server.ts';
export { DEFAULT_MAX_CONNECTIONS, DEFAULT_TIMEOUTS } from './server-options.ts';
export type {
  ServerLog,
  ServerOptions,
  ServerSettings,
  ServiceWords,
  Timeouts,
} from './server-options.ts';
export { Tokens, missingScope } from './tokens.ts';
export type { Token, TokensOptions } from './tokens.ts';
export { withBody } from './with-body.ts';
export type { WithBodyOptions } from './with-body.ts';
