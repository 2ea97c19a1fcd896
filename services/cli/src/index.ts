export { createProgram } from './program.ts';
export { EXIT } from './exit-code.ts';
export type { ExitCode } from './exit-code.ts';
