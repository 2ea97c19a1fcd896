import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a machine without an engine is told so, and nothing counts as shown', () => {
  const empty = mkdtempSync(join(tmpdir(), 'residency-'));
  try {
    const script = fileURLToPath(new URL('image.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
      env: { PATH: empty, DOCKER_HOST: `unix://${join(empty, 'socket')}` },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toContain('ENGINE_UNAVAILABLE');
  } finally {
    rmSync(empty, { recursive: true });
  }
});
