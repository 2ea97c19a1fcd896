import { RegisterFile } from '../../src/register-file.ts';

// Writes registers, each of another number, until it is killed.
const [, , folder = ''] = process.argv;
const file = new RegisterFile(folder, 'zurich');
const last = (await file.read())?.bytes.readUInt32BE() ?? 0;
for (let number = last + 1; ; number += 1) {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(number);
  await file.replace(Array.from({ length: 3 }, () => Buffer.alloc(1_000_000, four)));
  process.stdout.write('x');
}
