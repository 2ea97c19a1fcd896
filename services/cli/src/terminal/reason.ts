/** The system's word for a failure. */
export function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'a failure';
}
