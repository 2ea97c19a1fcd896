import { createHash, createPublicKey, verify } from 'node:crypto';

/**
 * A verifier of a published ledger that shares no code with the product, written from C2SP
 * tlog-tiles, tlog-checkpoint and signed-note, and RFC 6962 §2.1.
 */
export interface PublicLedger {
  /** A file of the ledger, such as `checkpoint`. Throws if it is not there. */
  readonly read: (path: string) => Promise<Buffer>;
  /** `<name>+<id>+<key>`, as `residency audit key show` prints it. */
  readonly verifierKey: string;
}

/** The entries under the newest checkpoint, once its signature and its root are verified. */
export async function publishedEntries(ledger: PublicLedger): Promise<readonly Buffer[]> {
  const note = (await ledger.read('checkpoint')).toString('utf8');
  const [origin = '', size = '0', root = ''] = signedText(note, ledger.verifierKey).split('\n');
  if (origin !== ledger.verifierKey.split('+')[0]) throw new Error(`another ledger: ${origin}`);
  const entries: Buffer[] = [];
  for (let bundle = 0; entries.length < Number(size); bundle += 1) {
    const width = Math.min(256, Number(size) - bundle * 256);
    entries.push(...(await bundleOf(ledger, bundle, width)));
  }
  const found = rootOf(entries.map((entry) => sha256(Buffer.from([0]), entry)));
  if (found.toString('base64') !== root) throw new Error('another root');
  return entries;
}

async function bundleOf(ledger: PublicLedger, bundle: number, width: number): Promise<Buffer[]> {
  // Test ledgers have less than a thousand bundles.
  const path = `tile/entries/${String(bundle).padStart(3, '0')}`;
  const bytes = await ledger.read(width === 256 ? path : `${path}.p/${width}`);
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  if (entries.length !== width) throw new Error(`a bundle of ${entries.length} entries`);
  return entries;
}

/** A ledger at an auditor's `/ledger/<topic>/0`. */
export function ledgerAt(url: string, verifierKey: string): PublicLedger {
  return {
    verifierKey,
    read: async (path) => {
      const response = await fetch(`${url}/${path}`);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return Buffer.from(await response.arrayBuffer());
    },
  };
}

function signedText(note: string, verifierKey: string): string {
  const [text = '', signatures = ''] = note.split('\n\n');
  const [name = '', id = '', key = ''] = splitKey(verifierKey);
  const publicKey = createPublicKey({
    key: Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.from(key, 'base64').subarray(1),
    ]),
    format: 'der',
    type: 'spki',
  });
  const signed = signatures.split('\n').some((line) => {
    const [, by, signature = ''] = line.split(' ');
    const bytes = Buffer.from(signature, 'base64');
    return (
      by === name &&
      bytes.subarray(0, 4).toString('hex') === id &&
      verify(null, Buffer.from(`${text}\n`), publicKey, bytes.subarray(4))
    );
  });
  if (!signed) throw new Error('no signature of the key');
  return text;
}

/** The key is base64 and may have a `+` itself. */
function splitKey(verifierKey: string): readonly string[] {
  const [name = '', id = '', ...key] = verifierKey.split('+');
  return [name, id, key.join('+')];
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256();
  if (hashes.length === 1) return only;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return sha256(Buffer.from([1]), rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)));
}

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}
