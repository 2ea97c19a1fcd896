import type { Answer } from './answer.ts';
import { here } from './process.ts';
import type { SimProcess } from './process.ts';

export interface Request<T> {
  /** As the weather names it: `kafka`, `redis`, `s3:<site>`. */
  readonly service: string;
  readonly what: string;
  /** Carried out when the request arrives, whether its sender is still alive or not. */
  readonly serve: (answer: Answer<T>) => void;
  /** What the sender is told if no answer comes. */
  readonly silence: () => unknown;
}

/**
 * One request of the running process and its answer. Each way takes a while; either may be lost.
 */
export async function request<T>({ service, what, serve, silence }: Request<T>): Promise<T> {
  const process = here();
  const { world, random } = process;
  const { lost, unanswered, slowMs } = world.weatherOf(service);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  if (lost > 0 && random.chance(lost)) {
    world.faults.count('request lost');
    process.after(random.between(5, PATIENCE_MS), `${what}: no answer`, () => {
      reject(silence());
    });
    return await promise;
  }
  const answered = unanswered === 0 || !random.chance(unanswered);
  const back = latency(process, slowMs);
  world.scheduler.after(latency(process, slowMs), undefined, `${service} ${what}`, () => {
    let done = false;
    const deliver = (delay: number, how: string, run: () => void): void => {
      if (done) return;
      done = true;
      process.after(delay, how, run);
    };
    const fail = (error: unknown): void => {
      deliver(back, `${what}: failed`, () => {
        reject(error);
      });
    };
    const silent = (): void => {
      world.faults.count('answer lost');
      deliver(back + PATIENCE_MS / 4, `${what}: no answer`, () => {
        reject(silence());
      });
    };
    try {
      serve({
        ok: (value) => {
          if (answered)
            deliver(back, `${what}: answered`, () => {
              resolve(value);
            });
          else silent();
        },
        fail,
      });
    } catch (error) {
      // What a service answers has a code of its protocol; anything else is a defect of the
      // simulated service.
      if (!(error instanceof Error && 'type' in error))
        world.violated(
          'the simulation itself',
          error instanceof Error ? (error.stack ?? error.message) : 'something was thrown',
        );
      fail(error);
    }
  });
  return await promise;
}

const PATIENCE_MS = 2_000;

function latency({ random }: SimProcess, slowMs: number): number {
  const usual = random.chance(0.9) ? random.between(0.2, 3) : random.between(3, 40);
  return slowMs === 0 ? usual : usual + random.next() * slowMs;
}
