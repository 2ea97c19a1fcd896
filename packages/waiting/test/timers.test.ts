import { getEventListeners, once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { atMost, pause, within } from '../src/index.ts';

/** Timers that would keep the process alive. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
function busy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
const never = new Promise<never>(() => undefined);

describe('a pause', () => {
  test('ends after its time', async () => {
    const began = performance.now();
    await pause(20);
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
  });

  test('ends without an error as soon as its signal is aborted, and leaves nothing behind', async () => {
    const stop = new AbortController();
    const before = timers();
    const waiting = pause(60_000, stop.signal);
    expect(timers()).toBe(before + 1);
    stop.abort(new Error('a reason'));
    await expect(waiting).resolves.toBeUndefined();
    await expect(pause(60_000, stop.signal)).resolves.toBeUndefined();
    expect(timers()).toBe(before);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});

describe('at most', () => {
  test('gives what the promise gives in time', async () => {
    await expect(atMost(60_000, Promise.resolve(1))).resolves.toBe(1);
    await expect(atMost(60_000, Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  });

  test('gives nothing once the time is over, and ignores what comes later', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await expect(atMost(1, promise)).resolves.toBeUndefined();
    reject(new Error('late'));
  });

  test('counts an answer that arrived in time while this process was too busy to read it', async () => {
    const server = createServer((socket) => socket.end('an answer')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const answer = once(socket, 'data');
    const waiting = atMost(20, answer);
    busy(10);
    await setImmediate();
    busy(100);
    expect(String(await waiting)).toBe('an answer');
    server.close();
  });

  test('keeps no process alive', async () => {
    const before = timers();
    void atMost(60_000, never);
    expect(timers()).toBe(before);
  });
});

describe('within a deadline', () => {
  const late = (): Error => new Error('late');
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('gives what the work gives, and then aborts its signal and leaves nothing behind', async () => {
    const { signal } = new AbortController();
    const given: AbortSignal[] = [];
    const work = async (one: AbortSignal): Promise<number> => {
      given.push(one);
      expect(one.aborted).toBe(false);
      return await Promise.resolve(1);
    };
    await expect(within({ ms: 1_000, signal, late }, work)).resolves.toBe(1);
    expect(given.map(({ aborted }) => aborted)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await expect(
      within({ ms: 1_000, signal, late }, () => Promise.reject(new Error('lost'))),
    ).rejects.toThrow('lost');
  });

  test('rejects once the time is over, and tells the work', async () => {
    let given: AbortSignal | undefined;
    const waiting = within({ ms: 1_000, late }, async (signal) => {
      given = signal;
      return await never;
    }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toEqual(late());
    expect(given?.aborted).toBe(true);
  });

  test('rejects as soon as its signal is aborted, and begins nothing afterwards', async () => {
    const stop = new AbortController();
    const work = vi.fn<() => Promise<never>>(() => never);
    const waiting = within({ ms: 1_000, signal: stop.signal, late }, work);
    stop.abort();
    await expect(waiting).rejects.toThrow('late');
    await expect(within({ ms: 1_000, signal: stop.signal, late }, work)).rejects.toThrow('late');
    expect(work).toHaveBeenCalledTimes(1);
  });
});
