import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { GO } from './go-vectors.ts';
import { RFC6962 } from './rfc6962-vectors.ts';

interface Bundler {
  readonly build: (options: object) => Promise<{
    readonly output: readonly {
      readonly type: string;
      readonly code: string;
      readonly imports: readonly string[];
      readonly dynamicImports: readonly string[];
    }[];
  }>;
}

/**
 * What a browser's page has and the package needs; nothing else stands in the context but the
 * language itself.
 */
const BROWSER = ['crypto', 'TextEncoder', 'TextDecoder', 'atob', 'btoa'] as const;

/**
 * The bundler that the test runner brings along: found through it, because nothing here declares
 * it.
 */
async function bundler(): Promise<Bundler> {
  const path = createRequire(createRequire(import.meta.url).resolve('vitest')).resolve('rolldown');
  return import(pathToFileURL(path).href) as Promise<Bundler>;
}

async function bundle(): Promise<{ code: string; imports: readonly string[] }> {
  const { build } = await bundler();
  const { output } = await build({
    input: fileURLToPath(new URL('../src/index.ts', import.meta.url)),
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    output: { format: 'iife', name: 'ledger' },
  });
  const [chunk, ...more] = output;
  if (chunk === undefined || more.length > 0)
    throw new RangeError(`Expected one chunk, found ${output.length}.`);
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] };
}

describe('bundled for a browser, the package', () => {
  let code: string;
  let imports: readonly string[];
  beforeAll(async () => {
    ({ code, imports } = await bundle());
  });

  /**
   * Runs in a context of its own, with `page` besides what a browser has; no code from strings, as
   * a strict page has it.
   */
  const run = (expression: string, page: object = {}): Promise<unknown> => {
    const globals = Object.fromEntries(BROWSER.map((name) => [name, globalThis[name]]));
    const context = createContext(
      { ...globals, ...page },
      { codeGeneration: { strings: false, wasm: false } },
    );
    return runInContext(`${code};(async () => (${expression}))()`, context) as Promise<unknown>;
  };

  it('imports nothing and names nothing of Node', () => {
    expect(imports).toEqual([]);
    expect(
      code.match(
        /\bnode:|\brequire\s*\(|\bBuffer\.|(?<!\.)\bprocess\.|\b__dirname\b|\bimport\s*\(/g,
      ),
    ).toBeNull();
  });

  it('runs where there is no Node', async () => {
    expect(
      await run(
        '[typeof require, typeof process, typeof Buffer, typeof module, typeof ledger.verifyReceipt]',
      ),
    ).toEqual(['undefined', 'undefined', 'undefined', 'undefined', 'function']);
  });

  const hash = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  const receipt = `c2sp.org/tlog-proof@v1\nindex 5\n${hash(RFC6962.nodes[0][4])}\n${hash(RFC6962.nodes[1][3])}\n${hash(RFC6962.nodes[2][0])}\n\n${GO.text}\n${GO.logLine}${GO.witnessLine}`;
  const verify = `ledger.verifyReceipt(new TextEncoder().encode(receipt), Uint8Array.from(entry), {
    keys: [ledger.parseVerifierKey(log)], witnesses: { keys: [ledger.parseVerifierKey(witness)], quorum: 1 },
  }).then(({ index, checkpoint, cosignatures }) => [index, checkpoint.origin, checkpoint.size, cosignatures[0].witness], (error) => [error.code, error.remedy])`;
  const page = {
    receipt,
    entry: [0x40, 0x41, 0x42, 0x43],
    log: GO.logVerifier,
    witness: GO.witnessVerifier,
  };

  it('verifies a receipt, and says why another is not one', async () => {
    expect(await run(verify, page)).toEqual([5, 'ledger.example/audit', 8, 'witness.example/w1']);
    expect(await run(verify, { ...page, entry: [0x40, 0x41, 0x42, 0x44] })).toEqual([
      'ROOT_MISMATCH',
      'stop',
    ]);
    expect(await run(verify, { ...page, receipt: receipt.replace('\n8\n', '\n9\n') })).toEqual([
      'SIGNATURE_INVALID',
      'stop',
    ]);
    expect(await run(verify, { ...page, crypto: undefined })).toEqual([
      'CRYPTO_UNAVAILABLE',
      'stop',
    ]);
  });

  it('grows a ledger and signs its checkpoint', async () => {
    const grow = `ledger.openSignerKey(signer).then(async (signer) => {
      const { root, files } = ledger.growth(ledger.EMPTY_LEDGER, leaves.map((leaf) => Uint8Array.from(leaf)));
      return [files.map(({ path }) => path).join(), new TextDecoder().decode(await ledger.signCheckpoint({ origin: signer.key.name, size: 8, root, extensions: [] }, signer))];
    })`;
    const leaves = RFC6962.leaves.map((leaf) => [...Buffer.from(leaf, 'hex')]);
    expect(await run(grow, { signer: GO.logSigner, leaves })).toEqual([
      'tile/entries/000.p/8,tile/0/000.p/8',
      `${GO.text}\n${GO.logLine}`,
    ]);
  });
});
