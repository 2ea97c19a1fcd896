import { decodeAuditEvent } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import type { DifferenceCode, ReconcileDeps } from '../src/index.ts';
import { at, encode } from './world.ts';
import type { World } from './world.ts';

/** One manipulation of the sample world, and the one difference it must cause. */
export interface Manipulation {
  readonly title: string;
  readonly code: DifferenceCode;
  readonly where: object;
  readonly apply: (world: World) => void;
  readonly deps?: (deps: ReconcileDeps) => ReconcileDeps;
}

/** Changes one bit of the ciphertext and nothing else. */
export function flip(world: World, site: string, name: string): void {
  const object = at(world, site, name);
  object.bytes = Buffer.from(object.bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)));
}

/** Changes the data of the sample world's first event. */
export function editFirst(
  world: World,
  edit: (data: StoredEvent['data']) => StoredEvent['data'],
): void {
  const event = decodeAuditEvent(world.events[0]?.[0] ?? Buffer.alloc(0));
  if (event.outcome !== 'stored' || world.events[0] === undefined)
    throw new Error('The sample world begins with a stored event.');
  world.events[0][0] = encode(event.position, null, { outcome: 'stored', data: edit(event.data) });
}
