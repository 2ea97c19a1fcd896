import {
  decodeQuarantinePointer,
  formatPosition,
  parsePosition,
  sha256,
} from '@residency/contracts';
import type { Position } from '@residency/contracts';
import { partitionOf } from './audit-chain.ts';
import type { AuditChain, Committed } from './audit-chain.ts';
import type { Difference } from './difference.ts';

/**
 * Compares quarantined events with their pointers. The same pointer may be there twice, byte for
 * byte (docs/formats/quarantine.md). Holds a position and a digest for each of them.
 */
export class QuarantinePointers {
  readonly #events = new Set<string>();
  /** The digest of each pointer that has its event. */
  readonly #matched = new Map<string, string>();
  readonly #unmatched: Position[] = [];

  addEvent(position: Position): void {
    this.#events.add(formatPosition(position));
  }

  /** Call after all events were added: RECONCILIATION §16. */
  addPointer(bytes: Buffer): Difference | undefined {
    let position: Position;
    try {
      position = parsePosition(decodeQuarantinePointer(bytes).position);
    } catch {
      return {
        code: 'POINTER_WITHOUT_EVENT',
        message:
          'Expected a quarantine pointer as in docs/formats/quarantine.md, found a record that is none; see who else may write to the quarantine.',
      };
    }
    const [name, digest] = [formatPosition(position), sha256(bytes)];
    if (this.#events.delete(name)) this.#matched.set(name, digest);
    else if (this.#matched.get(name) !== digest) this.#unmatched.push(position);
    return undefined;
  }

  /**
   * `after` was read after the pointers. Only records that were settled between the two readings
   * are exempt.
   */
  *differences(chain: AuditChain, after: Committed): Generator<Difference> {
    for (const position of this.#events) {
      yield {
        code: 'POINTER_MISSING',
        position,
        message:
          'Expected a quarantine pointer for the quarantined event, found none; nobody who works off the quarantine will find this record.',
      };
    }
    for (const position of this.#unmatched) {
      if (!chain.isRead(position) && position.offset <= (after.get(partitionOf(position)) ?? -1n))
        continue;
      yield {
        code: 'POINTER_WITHOUT_EVENT',
        position: formatPosition(position),
        message:
          'Expected one quarantined event a pointer, found a pointer without one of its own.',
      };
    }
  }
}
