/** A sealed message in the clear. */
export interface Opened {
  readonly sample: Buffer;
  /** The submission that is bound to the message. */
  readonly submission: string;
}

/**
 * Opens sealed messages with the region's private keys. Throws a coded error if a message does not
 * open (`stop`), or cannot now (`retry`).
 */
export interface Opener {
  open(message: Buffer): Promise<Opened>;
}
