/** How a service answers one request, once. */
export interface Answer<T> {
  readonly ok: (value: T) => void;
  readonly fail: (error: unknown) => void;
}
