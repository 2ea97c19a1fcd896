/** The log's knowledge of one submission. */
export type SubmissionState =
  | { readonly state: 'unknown' }
  /** Appended, not yet settled. */
  | { readonly state: 'pending' }
  /** Its audit events as written, oldest first; never empty. */
  | { readonly state: 'settled'; readonly events: readonly Buffer[] };

export interface SubmissionStatus {
  /**
   * `submission`: 64 lower-case hex digits. Throws coded errors if the log cannot be read. The
   * publisher retries.
   */
  find(submission: string): Promise<SubmissionState>;
}
