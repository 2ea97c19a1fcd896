export { CodedError, codeOf, hasCode, remedyOf } from './coded-error.ts';
export type { CodedErrorInit, Remedy } from './coded-error.ts';
export { isFull, isOutOfHandles, systemFailure } from './system-failure.ts';
