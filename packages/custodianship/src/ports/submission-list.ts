/** The objects of one site, read with credentials that may only list. */
export interface SubmissionList {
  /**
   * The submissions that have an object in the site, in pages and in no order. Objects created before
   * the call are listed; those created during it may be. Other entries of the site are left out. Throws
   * with remedy `retry` if the site does not answer, or refuses.
   */
  submissions(): AsyncIterable<readonly string[]>;
}
