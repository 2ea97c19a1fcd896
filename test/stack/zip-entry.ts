import { inflateRawSync } from 'node:zlib';

const END = 0x06054b50;
const END_SIZE = 22;
const ENTRY = 0x02014b50;

/**
 * One file out of a zip archive (APPNOTE 4.3), such as a jar: no tool for it is on every machine
 * with a Java runtime.
 */
export function zipEntry(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]), archive.length - END_SIZE);
  if (end < 0 || archive.readUInt32LE(end) !== END)
    throw new Error('Expected a zip archive, found other bytes; fetch it again.');
  let at = archive.readUInt32LE(end + 16);
  while (archive.readUInt32LE(at) === ENTRY) {
    const [nameSize, extraSize, commentSize] = [
      archive.readUInt16LE(at + 28),
      archive.readUInt16LE(at + 30),
      archive.readUInt16LE(at + 32),
    ];
    if (archive.toString('utf8', at + 46, at + 46 + nameSize) === name) return content(archive, at);
    at += 46 + nameSize + extraSize + commentSize;
  }
  throw new Error(
    `Expected ${name} in the archive, found no such entry; see test/stack/README.md.`,
  );
}

function content(archive: Buffer, entry: number): Buffer {
  const local = archive.readUInt32LE(entry + 42);
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const bytes = archive.subarray(start, start + archive.readUInt32LE(entry + 20));
  return archive.readUInt16LE(entry + 10) === 0 ? Buffer.from(bytes) : inflateRawSync(bytes);
}
