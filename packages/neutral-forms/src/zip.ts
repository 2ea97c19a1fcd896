import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';

/**
 * The password by which samples are exchanged in this field. It is no secret: it keeps scanners and
 * double clicks from opening the file.
 */
export const PASSWORD = 'infected';

/** A zip has no place for "no date"; this is the oldest one (APPNOTE 4.4.6). */
const NO_DATE = new Date(1980, 0, 1);

/**
 * A zip of one encrypted file. `aes`: AES-256 in the format AE-2 of WinZip, which shows no CRC of
 * the sample. `zipcrypto`: the cipher of APPNOTE 6.1, for tools that read nothing else.
 */
export async function zip(
  sample: Uint8Array,
  entryName: string,
  cipher: 'aes' | 'zipcrypto',
): Promise<Uint8Array> {
  // Room for a sample that does not become smaller: a buffer that grows is twice there meanwhile.
  const room = new Uint8ArrayWriter(sample.length + Math.ceil(sample.length / 1_000) + 1_024);
  const writer = new ZipWriter(room, {
    password: PASSWORD,
    encryptionStrength: 3,
    zipCrypto: cipher === 'zipcrypto',
    lastModDate: NO_DATE,
    extendedTimestamp: false,
    msDosCompatible: true,
    useWebWorkers: false,
  });
  await writer.add(entryName, new Uint8ArrayReader(sample));
  return await writer.close();
}
