import { checkInterrupted } from './session.ts';
import type { Session } from './session.ts';

/** The same items; ends with `INTERRUPTED` where somebody asked for it. */
export async function* interruptible<T>(
  session: Pick<Session, 'signal'>,
  items: AsyncIterable<T>,
): AsyncGenerator<T> {
  for await (const item of items) {
    checkInterrupted(session);
    yield item;
  }
}
