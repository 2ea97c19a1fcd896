/** The values that occur more than once, each listed once, in the order of first repetition. */
export function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) again.add(name);
    seen.add(name);
  }
  return [...again];
}
