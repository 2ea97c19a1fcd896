/**
 * The timed stages of routing: decode, views, decide and flush of a batch; seal and store of a
 * sample.
 */
export type Stage = 'decode' | 'views' | 'decide' | 'seal' | 'store' | 'flush';

/** Called when a stage begins. The returned function is called when it ends or fails. */
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
