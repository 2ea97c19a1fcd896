import { once } from 'node:events';

export function tellParent(message: object): void {
  process.send?.(message);
}

/** Resolves when the parent lets go, however it does: no child outlives it. */
export async function letGo(): Promise<void> {
  if (process.connected) await once(process, 'disconnect');
}

/** For a parent that dies while something is under way. */
export function endWithParent(): void {
  process.once('disconnect', () => {
    process.exit();
  });
}
