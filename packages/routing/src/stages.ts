/** Parts of the way of a record that are timed: decode, views, decide and flush of a batch, seal and store of a sample. */
export type Stage = 'decode' | 'views' | 'decide' | 'seal' | 'store' | 'flush';

/** A passage of a stage begins; what it returns is called when it ends, however it ends. */
export type OnStage = (stage: Stage) => () => void;

export async function timed<T>(
  onStage: OnStage | undefined,
  stage: Stage,
  work: () => Promise<T>,
): Promise<T> {
  const end = onStage?.(stage);
  try {
    return await work();
  } finally {
    end?.();
  }
}
