/** How a fault proxy tells requests and answers apart. Pure: it sees bytes and keeps nothing. */
export interface Protocol<Request> {
  /**
   * The part of `bytes` to pass on next, from their start; undefined until there is more. `waiting` requests of the connection
   * have no answer yet. Bytes that belong to a request that was announced before come without `request`.
   */
  takeRequest(
    bytes: Buffer,
    waiting: number,
  ): { readonly size: number; readonly request?: Request } | undefined;
  /** Likewise. `answers` picks the waiting request it is the answer of; without it these bytes answer none. */
  takeAnswer(
    bytes: Buffer,
  ):
    | { readonly size: number; readonly answers?: (waiting: readonly Request[]) => number }
    | undefined;
}

export const FIRST = (): number => 0;
