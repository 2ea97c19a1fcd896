import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { CodedError } from '@residency/coded-error';
import { Health, SharedWait, runService, startOperations } from '@residency/operations';
import type { Host } from '@residency/operations';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const metrics = async (): Promise<{ contentType: string; body: string }> => ({
  contentType: 'text/plain; version=0.0.4',
  body: 'up 1\n',
});

describe('probes', () => {
  test('say what the work waits for, and that it goes on', async () => {
    const health = new Health('routing');
    const server = await startOperations({
      host: '127.0.0.1',
      port: 0,
      name: 'routing',
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
    const operations = {
      name: 'routing',
      live: () => true,
      ready: () => ({ ready: true, checks: [] }),
      metrics,
    };
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
  readonly #listeners = new Map<string, () => void>();
  on(signal: string, listener: () => void): void {
    this.#listeners.set(signal, listener);
  }
  exit(code: number): never {
    this.exits.push(code);
    throw new Error('exit');
  }
  signal(name = 'SIGTERM'): void {
    this.#listeners.get(name)?.();
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

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])(
    'is stopped by %s and ends with nothing to say',
    async (signal) => {
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
      host.signal('SIGUSR1');
      host.signal(signal);
      await running;
      expect([stops, host.exitCode, host.exits]).toEqual([1, undefined, []]);
    },
  );

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

test('of several works the one that has waited longest is reported, and nothing if nothing changes', () => {
  const reported: unknown[] = [];
  const waiting = new SharedWait((error) => {
    reported.push(error);
  });
  waiting.of('redis', undefined);
  waiting.of('kafka', 'late');
  waiting.of('redis', 'empty');
  waiting.of('kafka', 'away');
  expect([waiting.has('redis'), waiting.has('site')]).toEqual([true, false]);
  waiting.of('kafka', undefined);
  waiting.of('redis', undefined);
  expect(reported).toEqual(['late', 'late', 'away', 'empty', undefined]);
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

test('a service opens no debugger at SIGUSR1, and ends at SIGHUP with 0', async () => {
  const main = `
    import { runService } from '@residency/operations';
    const ended = Promise.withResolvers();
    const work = setInterval(() => undefined, 1_000);
    await runService({
      start: () => { console.log('up'); return Promise.resolve({ ended: ended.promise, stop: () => { clearInterval(work); ended.resolve(); return Promise.resolve(); } }); }, report: console.error, graceMs: 60_000,
    }, process);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', main], {
    cwd: import.meta.dirname,
  });
  const written: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    written.push(String(chunk));
  });
  const exit = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGUSR1');
  await delay(500);
  child.kill('SIGHUP');
  expect(await exit).toEqual([0, null]);
  expect(written.join('')).toBe('');
});
