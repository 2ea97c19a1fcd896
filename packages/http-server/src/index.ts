export { BodyBudget } from './body-budget.ts';
export type { BodyLease } from './body-budget.ts';
export { HTTP_SERVER_ERROR_CODES, HttpServerError } from './http-server-error.ts';
export type { HttpServerErrorCode } from './http-server-error.ts';
export { isLoopback } from './loopback.ts';
export type { AllowedMethods } from './not-found.ts';
export { PROBLEM_CONTENT_TYPE, Problem, unavailable } from './problem.ts';
export type { ProblemInit, ProblemKind } from './problem.ts';
export { readBody } from './read-body.ts';
export type { ReadBodyOptions } from './read-body.ts';
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
