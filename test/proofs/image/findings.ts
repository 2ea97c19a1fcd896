/** What a run saw: a row each, and what of it is not as it must be. */
export class Findings {
  readonly rows: (readonly [string, string])[] = [];
  readonly wrong: string[] = [];

  saw(what: string, found: string | number): void {
    this.rows.push([what, String(found)]);
  }

  /** The same, and it must be that. */
  expect(what: string, found: string | number, expected: string | number): void {
    this.saw(what, found);
    if (String(found) !== String(expected))
      this.wrong.push(`${what}: expected ${expected}, found ${found}.`);
  }
}
