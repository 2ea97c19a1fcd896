/** What is wrong with the way to a service. */
export interface Weather {
  /** Of each request: it never arrives. */
  readonly lost: number;
  /** Of each answer: the request was carried out, and nobody is told. */
  readonly unanswered: number;
  /** Added to each way at most, milliseconds. */
  readonly slowMs: number;
}

export const FAIR: Weather = { lost: 0, unanswered: 0, slowMs: 0 };
