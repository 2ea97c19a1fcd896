import type { ErasableSample, ErasureOrder } from '@residency/contracts';

/** Finds every order that names a sample. `ErasureIndex` finds the one by which it is erased. */
export class OrderIndex {
  readonly #byName = new Map<string, { readonly order: ErasureOrder; readonly before: number }[]>();

  constructor(orders: Iterable<ErasureOrder>) {
    for (const order of orders) {
      for (const submission of order.submissions) this.#add(submission, order, Infinity);
      for (const { consentId, before } of order.consents)
        this.#add(consentId, order, Date.parse(before));
    }
  }

  of({ submission, consentId, at }: ErasableSample): readonly ErasureOrder[] {
    return [submission, consentId]
      .flatMap((name) => this.#byName.get(name) ?? [])
      .filter(({ before }) => at < before)
      .map(({ order }) => order);
  }

  #add(name: string, order: ErasureOrder, before: number): void {
    const known = this.#byName.get(name) ?? [];
    known.push({ order, before });
    this.#byName.set(name, known);
  }
}
