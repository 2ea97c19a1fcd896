import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { dockerAnswers } from './docker.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-docker-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test('without a socket there is no engine', async () => {
  vi.stubEnv('DOCKER_HOST', `unix://${folder}/none.sock`);
  expect(await dockerAnswers()).toBe(false);
});

test.each([
  ['says nothing', '', false],
  ['answers a ping', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK', true],
  ['is something else', 'hello\r\n\r\n', false],
])('an engine that %s is recognised', async (_, answer, expected) => {
  const path = join(folder, 'engine.sock');
  const engine = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        if (answer !== '') socket.write(answer);
      });
  });
  await new Promise<void>((resolve) => {
    engine.listen(path, resolve);
  });
  vi.stubEnv('DOCKER_HOST', `unix://${path}`);
  // The one that says nothing never would: the question ends by itself.
  expect(await dockerAnswers()).toBe(expected);
  engine.close();
});
