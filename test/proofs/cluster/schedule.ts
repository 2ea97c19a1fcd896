import type { Disturbance } from './disturbances.ts';

/** The shares of settled traffic at which the first and the last disturbance happen. */
const FROM = 0.2;
const TO = 0.8;
/** How many disturbances the traffic may be ahead. */
const AHEAD = 1;

/** Disturbances spread evenly over the traffic. */
export class Schedule {
  readonly #list: readonly Disturbance[];
  readonly #submissions: number;
  #next = 0;

  constructor(list: readonly Disturbance[], submissions: number) {
    this.#list = list;
    this.#submissions = submissions;
  }

  /** How many submissions may be published now so that enough remain for later disturbances. */
  get due(): number {
    return this.#next === this.#list.length
      ? this.#submissions
      : Math.min(this.#submissions, this.#at(this.#next + AHEAD));
  }

  /** Each disturbance, with the number of submissions to settle before it. */
  *steps(): Generator<{ readonly disturbance: Disturbance; readonly at: number }> {
    for (const [index, disturbance] of this.#list.entries()) {
      yield { disturbance, at: this.#at(index) };
      this.#next = index + 1;
    }
  }

  #at(index: number): number {
    return Math.floor(this.#submissions * (FROM + ((TO - FROM) * index) / this.#list.length));
  }
}
