import { once } from 'node:events';

export function sendToParent(message: object): void {
  process.send?.(message);
}

/** Resolves when the parent closes the channel or ends, so that no child outlives it. */
export async function letGo(): Promise<void> {
  if (process.connected) await once(process, 'disconnect');
}

/** Ends this process if the parent dies during work. */
export function endWithParent(): void {
  process.once('disconnect', () => {
    process.exit();
  });
}
