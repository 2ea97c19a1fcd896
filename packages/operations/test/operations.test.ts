import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '@residency/coded-error';
import {
  Health,
  SharedWait,
  allOrNone,
  comeUp,
  runService,
  startOperations,
} from '@residency/operations';
import type { Host } from '@residency/operations';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const metrics = async (): Promise<{ contentType: string; body: string }> => ({
  contentType: 'text/plain; version=0.0.4',
  body: 'up 1\n',
});

const unreachable = new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'm', remedy: 'retry' });

describe('probes', () => {
  test('say what the work waits for, and that it goes on', async () => {
    const health = new Health('routing');
    const server = await startOperations({
      host: '127.0.0.1',
      port: 0,
      live: () => health.live,
      ready: () => health.readiness(),
      metrics,
    });
    try {
      expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
      health.started();
      expect(health.waits('SITE_UNREACHABLE')).toBe(true);
      expect(health.waits('SITE_UNREACHABLE')).toBe(false);
      const waiting = await fetch(`${server.url}/readyz`);
      expect([waiting.status, await waiting.json()]).toEqual([
        503,
        {
          ready: false,
          checks: [
            { name: 'process', ok: true },
            { name: 'routing', ok: false, detail: 'waits: SITE_UNREACHABLE' },
          ],
        },
      ]);
      expect((await fetch(`${server.url}/livez`)).status).toBe(200);
      health.waits(undefined);
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
      expect(await (await fetch(`${server.url}/metrics`)).text()).toBe('up 1\n');
      health.failed();
      health.stopping();
      expect((await fetch(`${server.url}/livez`)).status).toBe(503);
    } finally {
      await server.close();
    }
  });

  test('a port that is taken is named, and nothing listens', async () => {
    const operations = { live: () => true, ready: () => ({ ready: true, checks: [] }), metrics };
    const server = await startOperations({ host: '127.0.0.1', port: 0, ...operations });
    const port = Number(new URL(server.url).port);
    await expect(startOperations({ host: '127.0.0.1', port, ...operations })).rejects.toMatchObject(
      { code: 'OPERATIONS_PORT_IN_USE', remedy: 'stop' },
    );
    await server.close();
  });
});

class FakeHost implements Host {
  exitCode?: number;
  readonly exits: number[] = [];
  readonly #listeners: (() => void)[] = [];
  on(_: string, listener: () => void): void {
    this.#listeners.push(listener);
  }
  exit(code: number): never {
    this.exits.push(code);
    throw new Error('exit');
  }
  signal(): void {
    this.#listeners[0]?.();
  }
}

describe('a service', () => {
  // A host's exit comes by a timer.
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is stopped by a signal and ends with nothing to say', async () => {
    const host = new FakeHost();
    const ended = Promise.withResolvers<void>();
    let stops = 0;
    const running = runService(
      {
        start: () =>
          Promise.resolve({
            ended: ended.promise,
            stop: () => {
              stops += 1;
              ended.resolve();
              return Promise.resolve();
            },
          }),
        report: () => {
          throw new Error('nothing to report');
        },
        graceMs: 1_000,
      },
      host,
    );
    await Promise.resolve();
    host.signal();
    await running;
    expect([stops, host.exitCode, host.exits]).toEqual([1, undefined, []]);
  });

  test.each([
    ['needs a person', new CodedError({ code: 'PROGRESS_LOST', message: 'm', remedy: 'stop' }), 1],
    [
      'could not reach something',
      new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'm', remedy: 'retry' }),
      3,
    ],
    [
      'is configured wrongly',
      new CodedError({ code: 'CONFIGURATION_INVALID', message: 'm', remedy: 'stop' }),
      2,
    ],
    ['has a defect', new TypeError('x'), 1],
  ])('that %s is stopped, reported, and ends with its exit code', async (_what, error, code) => {
    const host = new FakeHost();
    const reported: unknown[] = [];
    let stops = 0;
    await runService(
      {
        start: () =>
          Promise.resolve({
            ended: Promise.reject(error),
            stop: () => {
              stops += 1;
              return Promise.resolve();
            },
          }),
        report: (_message, { error: thrown }) => {
          reported.push(thrown);
        },
        graceMs: 1_000,
      },
      host,
    );
    expect([stops, host.exitCode, reported]).toEqual([1, code, [error]]);
  });

  test('that does not come up is reported too', async () => {
    const host = new FakeHost();
    const reported: unknown[] = [];
    await runService(
      {
        start: () =>
          Promise.reject(
            new CodedError({ code: 'KAFKA_UNREACHABLE', message: 'm', remedy: 'retry' }),
          ),
        report: (message) => {
          reported.push(message);
        },
        graceMs: 1_000,
      },
      host,
    );
    expect([host.exitCode, reported.length]).toEqual([3, 1]);
  });

  test('that ended leaves, whatever still holds the process', async () => {
    const host = new FakeHost();
    await runService(
      {
        start: () => Promise.resolve({ ended: Promise.resolve(), stop: () => Promise.resolve() }),
        report: () => undefined,
        graceMs: 60_000,
      },
      host,
    );
    expect(() => {
      vi.advanceTimersByTime(2_000);
    }).toThrow('exit');
    expect(host.exits).toEqual([0]);
  });

  test('ends at once at a second signal, and at the end of its grace period', async () => {
    const host = new FakeHost();
    void runService(
      {
        start: () =>
          Promise.resolve({
            ended: new Promise(() => undefined),
            stop: () => new Promise(() => undefined),
          }),
        report: () => undefined,
        graceMs: 60_000,
      },
      host,
    );
    await Promise.resolve();
    host.signal();
    expect(() => {
      host.signal();
    }).toThrow('exit');
    expect(host.exits).toEqual([1]);
  });
});

describe('a step of a start', () => {
  test('is tried again while what it needs is not there yet', async () => {
    const waited: unknown[] = [];
    let tries = 0;
    const step = (): Promise<string> =>
      (tries += 1) < 3 ? Promise.reject(unreachable) : Promise.resolve('up');
    expect(
      await comeUp(step, {
        signal: new AbortController().signal,
        waits: (error) => {
          waited.push(error);
        },
        firstMs: 1,
      }),
    ).toBe('up');
    expect(waited).toEqual([unreachable, unreachable]);
  });

  test('that needs a person is not tried again', async () => {
    const error = new CodedError({ code: 'SITE_MARKER_MISMATCH', message: 'm', remedy: 'stop' });
    await expect(
      comeUp(() => Promise.reject(error), {
        signal: new AbortController().signal,
        waits: () => {
          throw new Error('waited');
        },
      }),
    ).rejects.toBe(error);
  });

  test('ends with its last error where the process is told to stop', async () => {
    const stop = new AbortController();
    await expect(
      comeUp(() => Promise.reject(unreachable), {
        signal: stop.signal,
        waits: () => {
          stop.abort();
        },
        firstMs: 60_000,
      }),
    ).rejects.toBe(unreachable);
  });
});

test('of several works the one that has waited longest is told, and nothing where nothing changes', () => {
  const told: unknown[] = [];
  const waiting = new SharedWait((error) => {
    told.push(error);
  });
  waiting.of('redis', undefined);
  waiting.of('kafka', 'late');
  waiting.of('redis', 'empty');
  waiting.of('kafka', 'away');
  expect([waiting.has('redis'), waiting.has('site')]).toEqual([true, false]);
  waiting.of('kafka', undefined);
  waiting.of('redis', undefined);
  expect(told).toEqual(['late', 'late', 'away', 'empty', undefined]);
});

describe('works that need one another', () => {
  const until = async (signal: AbortSignal, then: () => void): Promise<void> => {
    if (!signal.aborted) await once(signal, 'abort');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    then();
  };

  test('end together with the first failure', async () => {
    const ended: string[] = [];
    const works = allOrNone(new AbortController().signal, (signal) => [
      until(signal, () => {
        ended.push('one');
      }),
      Promise.reject(unreachable),
      until(signal, () => {
        throw new Error('because the other failed');
      }),
    ]).catch((error: unknown) => {
      ended.push('all');
      throw error;
    });
    await expect(works).rejects.toBe(unreachable);
    expect(ended).toEqual(['one', 'all']);
  });

  test('end without one where they are told to', async () => {
    const stop = new AbortController();
    const works = allOrNone(stop.signal, (signal) => [
      until(signal, () => undefined),
      Promise.resolve(),
    ]);
    stop.abort();
    await expect(works).resolves.toBeUndefined();
  });
});

test('a process that stopped ends by itself, and a handle somebody lost count of does not keep it', async () => {
  const main = `
    import { createServer } from 'node:net';
    import { runService } from '@residency/operations';
    createServer().listen(0, '127.0.0.1');
    await runService({ start: () => Promise.resolve({ ended: Promise.resolve(), stop: () => Promise.resolve() }), report: () => undefined, graceMs: 60_000 }, process);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', main], {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
});
