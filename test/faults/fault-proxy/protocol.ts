/** How a fault proxy separates requests and responses. Pure and stateless. */
export interface Protocol<Request> {
  /**
   * The part of `bytes` to forward next, from their start; `undefined`: more bytes are needed.
   * `waiting`: requests of the connection without a response. Bytes that belong to an earlier
   * request have no `request`.
   */
  takeRequest(
    bytes: Buffer,
    waiting: number,
  ): { readonly size: number; readonly request?: Request } | undefined;
  /**
   * Likewise for responses. `answers` selects the waiting request; absent: the bytes answer none.
   */
  takeAnswer(
    bytes: Buffer,
  ):
    | { readonly size: number; readonly answers?: (waiting: readonly Request[]) => number }
    | undefined;
}

export const FIRST = (): number => 0;
