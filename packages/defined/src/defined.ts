/** `T` with each member that may be `undefined` made optional. */
export type Defined<T> = Flat<
  { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
  }
>;

/** An intersection as one object type, so that compiler messages are readable. */
type Flat<T> = { [K in keyof T]: T[K] };

/** A copy of `members` without those that are `undefined`; the order of the others is kept. */
export function defined<T extends object>(members: T): Defined<T> {
  // A loop, because this runs several times for each record, and `Object.entries` costs four times
  // as much.
  const left: Partial<T> = {};
  for (const name in members) if (members[name] !== undefined) left[name] = members[name];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left has no `undefined`
  return left as Defined<T>;
}
