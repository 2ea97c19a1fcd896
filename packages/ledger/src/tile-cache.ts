const MAX_TILES = 64;

/** The tiles used last. One that failed is not kept, so the next call asks again. */
export class TileCache {
  readonly #tiles = new Map<string, Promise<readonly Uint8Array[]>>();

  get(name: string, load: () => Promise<readonly Uint8Array[]>): Promise<readonly Uint8Array[]> {
    const tile = this.#tiles.get(name) ?? load();
    this.#tiles.delete(name);
    this.#tiles.set(name, tile);
    // A map gives its names in the order they were put in.
    for (const oldest of this.#tiles.keys()) {
      if (this.#tiles.size <= MAX_TILES) break;
      this.#tiles.delete(oldest);
    }
    return tile.catch((error: unknown) => {
      if (this.#tiles.get(name) === tile) this.#tiles.delete(name);
      throw error;
    });
  }
}
