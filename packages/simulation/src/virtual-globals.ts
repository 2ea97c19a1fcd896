import crypto, { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type timersPromises from 'node:timers/promises';
import { EPOCH } from './epoch.ts';
import { here, hereIfAny } from './process.ts';
import type { Pending } from './scheduler.ts';

const require = createRequire(import.meta.url);
let installed = false;

/** The real ones, for the loop that drives the worlds. */
export const real = {
  setImmediate: globalThis.setImmediate,
  now: performance.now.bind(performance),
};

/**
 * Replaces what a Node process knows of time, chance and threads by the virtual clock and the seed
 * of the simulated process that asks. For a process that does nothing but simulate. WebCrypto is
 * answered at once, because its threads would answer in an order that no seed decides.
 */
export function installVirtualGlobals(): void {
  if (installed) return;
  installed = true;
  const fake = {
    setTimeout: later,
    clearTimeout: forget,
    setInterval: every,
    clearInterval: forget,
    setImmediate: (run: () => void) => later(run, 0),
    clearImmediate: forget,
  };
  Object.assign(globalThis, fake);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  Object.assign(require('node:timers') as object, fake);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const promises = require('node:timers/promises') as typeof timersPromises;
  Object.assign(promises, { setTimeout: sleep, setImmediate: () => sleep(0) });
  Object.assign(crypto, {
    randomBytes: (count: number) => here().random.bytes(count),
    randomUUID: () => here().random.bytes(16).toString('hex'),
  });
  syncBuiltinESMExports();
  Date.now = () => EPOCH + Math.floor(hereIfAny()?.scheduler.now ?? 0);
  Math.random = () => here().random.next();
  Object.defineProperty(performance, 'now', { value: () => hereIfAny()?.scheduler.now ?? 0 });
  Object.defineProperty(globalThis, 'crypto', { value: { subtle, getRandomValues: fill } });
}

class Timer {
  pending: Pending | undefined;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

function later(run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer {
  const timer = new Timer();
  timer.pending = here().after(ms, 'timer', () => {
    run(...args);
  });
  return timer;
}

function every(run: () => void, ms: number): Timer {
  const timer = new Timer();
  const again = (): void => {
    timer.pending = here().after(ms, 'interval', () => {
      again();
      run();
    });
  };
  again();
  return timer;
}

function forget(timer: unknown): void {
  if (timer instanceof Timer && timer.pending !== undefined) timer.pending.run = undefined;
}

async function sleep(
  ms = 0,
  value?: unknown,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<unknown> {
  if (signal?.aborted === true) throw aborted(signal);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = later(() => {
    resolve(value);
  }, ms);
  if (signal === undefined) return await promise;
  const onAbort = (): void => {
    forget(timer);
    reject(aborted(signal));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function aborted(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });
}

function fill(bytes: Uint8Array): Uint8Array {
  bytes.set(here().random.bytes(bytes.length));
  return bytes;
}

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');

/** Ed25519 as `packages/ledger` asks for it. */
const subtle = {
  importKey: async (format: 'raw' | 'pkcs8', data: Uint8Array): Promise<KeyObject> =>
    format === 'raw'
      ? createPublicKey({ key: Buffer.concat([SPKI_HEAD, data]), format: 'der', type: 'spki' })
      : createPrivateKey({ key: Buffer.from(data), format: 'der', type: 'pkcs8' }),
  exportKey: async (_: 'jwk', key: KeyObject): Promise<unknown> => key.export({ format: 'jwk' }),
  sign: async (_: string, key: KeyObject, message: Uint8Array): Promise<Buffer> =>
    sign(null, message, key),
  verify: async (
    _: string,
    key: KeyObject,
    signature: Uint8Array,
    message: Uint8Array,
  ): Promise<boolean> => verify(null, message, key, signature),
};
