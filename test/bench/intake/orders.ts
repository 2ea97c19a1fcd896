/** What a client process is to do. */
export interface ClientOrder {
  readonly url: string;
  readonly perSecond: number;
  /** The first seconds, which do not count. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly bytes: number;
  /** The number of its first sample; none is used twice. */
  readonly first: number;
}

/** Milliseconds from the time at which a submission was due until its answer. */
export interface ClientReport {
  readonly accepted: number;
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}
