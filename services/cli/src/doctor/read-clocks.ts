import type { Fetch } from '../probing/readiness.ts';
import type { ClockReading } from './clocks.ts';
import { readingOf } from './clocks.ts';
import { DoctorError } from './doctor-error.ts';

/**
 * The clock of the server at `url`, from the `Date` of any response, which has whole seconds.
 * `undefined`: the response has none.
 */
export async function clockOfHttp(
  clock: string,
  url: URL,
  {
    now,
    signal,
    ask = fetch,
  }: { readonly now: () => number; readonly signal: AbortSignal; readonly ask?: Fetch },
): Promise<ClockReading | undefined> {
  const asked = now();
  let response: Response;
  try {
    response = await ask(url, { redirect: 'manual', signal });
  } catch (cause) {
    throw new DoctorError({
      code: 'NO_ANSWER',
      remedy: 'retry',
      message: `Expected ${clock} to answer, found that it does not; see whether it runs, its address and the network.`,
      cause,
    });
  }
  const answered = now();
  await response.body?.cancel();
  const at = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(at) ? undefined : readingOf(clock, { at, grain: 999, asked, answered });
}

export async function clockOfAnswer(
  clock: string,
  now: () => number,
  ask: () => Promise<number | undefined>,
): Promise<ClockReading | undefined> {
  const asked = now();
  const at = await ask();
  return at === undefined ? undefined : readingOf(clock, { at, grain: 1, asked, answered: now() });
}
