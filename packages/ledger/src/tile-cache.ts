const MAX_TILES = 64;

/** The most recently used tiles. A failed load is not cached, so the next call tries again. */
export class TileCache {
  readonly #tiles = new Map<string, Promise<readonly Uint8Array[]>>();

  get(name: string, load: () => Promise<readonly Uint8Array[]>): Promise<readonly Uint8Array[]> {
    const tile = this.#tiles.get(name) ?? load();
    this.#tiles.delete(name);
    this.#tiles.set(name, tile);
    // A Map iterates in insertion order.
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
