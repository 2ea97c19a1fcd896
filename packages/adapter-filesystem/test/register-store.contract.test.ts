import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRegisterStore } from '@residency/testkit';
import { RegisterFile } from '../src/register-file.ts';

describeRegisterStore('filesystem', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'residency-register-'));
  return {
    open: () => new RegisterFile(folder, 'zurich'),
    close: () => rm(folder, { recursive: true }),
  };
});
