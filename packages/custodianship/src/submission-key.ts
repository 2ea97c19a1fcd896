/** The first 64 bits of a submission id, for sets of millions of them. Never two zeros: "none". */
export type SubmissionKey = readonly [high: number, low: number];

/** `submission`: lower-case hex. */
export function submissionKey(submission: string): SubmissionKey {
  const high = Number.parseInt(submission.slice(0, 8), 16);
  const low = Number.parseInt(submission.slice(8, 16), 16);
  return high === 0 && low === 0 ? [0, 1] : [high, low];
}
