/** The published ledger of the region's custody log. */
export interface PublishedLedger {
  /**
   * True if a published checkpoint, signed by a key that is trusted, contains this leaf, by its tiles.
   * Throws with remedy `retry` if the ledger cannot be read, with `stop` if it is damaged or another's.
   */
  contains(leaf: Buffer): Promise<boolean>;
}
