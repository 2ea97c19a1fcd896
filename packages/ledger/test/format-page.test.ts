import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  COSIGNATURE,
  EMPTY_LEDGER,
  LEDGER_ERROR_CODES,
  MAX_ENTRY_BYTES,
  MAX_NOTE_BYTES,
  MAX_RECEIPT_BYTES,
  MAX_SIGNATURES,
  NOTE_SIGNATURE,
  cosign,
  formatNote,
  growth,
  makeKey,
  openSignerKey,
  parseVerifierKey,
  signNote,
  verifyReceipt,
} from '../src/index.ts';
import { bytesOf } from './naive-tree.ts';

const page = readFileSync(new URL('../../../docs/formats/ledger.md', import.meta.url), 'utf8');
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [entry = '', keys = '', receipt = ''] = [
  ...page.matchAll(/^```[^\n]*\n([\s\S]*?)^```$/gm),
].map(([, content]) => content ?? '');
const [log = '', witness = ''] = keys.split('\n');
const checkpoint = receipt.slice(receipt.indexOf('\n\n') + 2);
const seed = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());

describe('the example of docs/formats/ledger.md', () => {
  it('is a receipt that proves its entry', async () => {
    expect(
      await verifyReceipt(bytesOf(receipt), bytesOf(entry.trimEnd()), {
        keys: [parseVerifierKey(log)],
        witnesses: { keys: [parseVerifierKey(witness)], quorum: 1 },
      }),
    ).toMatchObject({
      index: 2,
      checkpoint: { origin: 'ledger.example/residency', size: 3 },
      cosignatures: [
        { witness: 'witness.example/w1', time: Date.UTC(2026, 10, 2, 9, 16, 10) / 1_000 },
      ],
    });
  });

  it('is what the code writes: files, keys and checkpoint', async () => {
    const [made, seen] = [
      await makeKey('ledger.example/residency', seed('docs example ledger'), NOTE_SIGNATURE),
      await makeKey('witness.example/w1', seed('docs example witness'), COSIGNATURE),
    ];
    expect([made.verifierKey, seen.verifierKey]).toEqual([log, witness]);
    const others = ['58', '59'].map((offset) =>
      entry
        .replace('"59"', `"${Number(offset) - 1}"`)
        .replace('00060"', `000${offset}"`)
        .replace('/60"', `/${offset}"`),
    );
    const { files, root } = growth(
      EMPTY_LEDGER,
      [...others, entry].map((one) => bytesOf(one.trimEnd())),
    );
    expect(
      files.map(({ path, bytes }) => `\`${path}\` (${bytes.length} bytes)`).join(' and '),
    ).toBe(page.split('\n').at(-2)?.slice("The ledger's other files: ".length, -1));
    const text = `ledger.example/residency\n3\n${Buffer.from(root).toString('base64')}\n`;
    const signatures = [
      await signNote(text, await openSignerKey(made.signerKey)),
      await cosign(
        text,
        await openSignerKey(seen.signerKey),
        Date.UTC(2026, 10, 2, 9, 16, 10) / 1_000,
      ),
    ];
    expect(Buffer.from(formatNote({ text, signatures })).toString()).toBe(checkpoint);
  });
});

it('the page and the README name the limits that the code has', () => {
  for (const limit of [MAX_ENTRY_BYTES, MAX_NOTE_BYTES, MAX_RECEIPT_BYTES, MAX_SIGNATURES]) {
    expect(page.slice(page.indexOf('## Limits'))).toContain(limit.toLocaleString('en'));
    expect(readme).toContain(limit.toLocaleString('en'));
  }
});

it('the README says of every error code what it means', () => {
  const table = readme.slice(readme.indexOf('| code | meaning |'));
  expect(LEDGER_ERROR_CODES.filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
});
