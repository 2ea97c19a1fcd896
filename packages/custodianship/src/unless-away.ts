import { remedyOf } from '@residency/coded-error';

/** `away`: the error, if its remedy is `retry`. */
export async function unlessAway<T>(
  work: () => Promise<T>,
): Promise<{ readonly value?: T; readonly away?: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (remedyOf(error) !== 'retry') throw error;
    return { away: error };
  }
}
