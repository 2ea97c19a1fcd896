import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Peer } from './peer.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-peer-test-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function withPeer<T>(command: string, use: (peer: Peer) => Promise<T>): Promise<T> {
  const peer = new Peer(command, { WORD: 'from the bench', FOLDER: folder });
  try {
    return await use(peer);
  } finally {
    await peer.close();
  }
}

test('a peer is done once it makes the file of the end, and what it started ends with it', async () => {
  const ended = await withPeer(
    'sleep 600 & echo $! >"$FOLDER/pid"; touch "$RESIDENCY_BENCH_END_FILE"; wait',
    async (peer) => {
      await peer.done();
      return peer.endedAt;
    },
  );
  expect(ended).toBeGreaterThan(0);
  const child = (await readFile(join(folder, 'pid'), 'utf8')).trim();
  expect(existsSync(`/proc/${child}`)).toBe(false);
});

test('a peer is done once it ends with 0, and the CPU of what has ended below it is counted', async () => {
  const burn = `'${process.execPath}' -e 'while (process.cpuUsage().user < 2e5);'`;
  const [cpu, bytes] = await withPeer(
    `test "$WORD" = 'from the bench' && (${burn}; ${burn})`,
    async (peer) => {
      await peer.done();
      return [peer.cpuSeconds(), peer.peakBytes()] as const;
    },
  );
  expect(cpu).toBeGreaterThan(0.3);
  expect(bytes).toBeGreaterThan(1e6);
});

test('a peer that fails is told of with its exit code and its last words', async () => {
  await withPeer('echo its last words >&2; exit 3', async (peer) => {
    await expect(peer.done()).rejects.toThrow(/found exit code 3;.*\n?.*its last words/s);
  });
  expect(await readdir(folder)).toEqual([]);
});
