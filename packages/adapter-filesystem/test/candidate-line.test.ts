import { readFile } from 'node:fs/promises';
import { decodeObjectMetadata, encodeObjectMetadata, sha256 } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  candidatesOf,
  decodeCandidate,
  encodeCandidate,
  isCandidateLine,
  submissionOfLine,
} from '../src/candidate-line.ts';

const submissions = fc.string({ minLength: 1 }).map((text) => sha256(Buffer.from(text)));
const metadatas = fc
  .record({
    offset: fc.nat(),
    wrappingKey: fc.string({ minLength: 1, maxLength: 128, unit: 'grapheme-ascii' }),
  })
  .map(({ offset, wrappingKey }) => ({ ...exampleObject('one', offset).metadata, wrappingKey }));

test('decoding is the inverse of encoding, and finds a line among others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(submissions, metadatas), { minLength: 1, maxLength: 6 }),
      (lines) => {
        const file = Buffer.from(
          lines.map(([submission, metadata]) => encodeCandidate(submission, metadata)).join(''),
        );
        for (const [submission, metadata] of lines) {
          const line = encodeCandidate(submission, metadata);
          const candidate = { submission, metadata: encodeObjectMetadata(metadata) };
          expect(line.lastIndexOf('\n')).toBe(0);
          expect(decodeCandidate(line.slice(1))).toEqual(candidate);
          expect(submissionOfLine(line.slice(1))).toBe(submission);
          expect(candidatesOf(file, submission)).toContainEqual(candidate);
          expect(isCandidateLine(line.slice(1), submission.slice(0, 3))).toBe(true);
        }
      },
    ),
  );
});

test('a line that is cut short anywhere is no candidate, is recognised as torn, and hides no other', () => {
  const { key, metadata } = exampleObject('one', 7);
  const submission = key.slice(-64);
  const line = encodeCandidate(submission, metadata);
  for (let length = 1; length < line.length; length += 1) {
    const torn = line.slice(0, length);
    expect(isCandidateLine(torn.slice(1), submission.slice(0, 3))).toBe(true);
    expect(candidatesOf(Buffer.from(torn), submission)).toEqual([]);
    expect(candidatesOf(Buffer.from(`${torn}${line}`), submission)).toEqual([
      { submission, metadata: encodeObjectMetadata(metadata) },
    ]);
  }
});

test('a line of a submission with another prefix, without a submission, or with anything more is foreign', () => {
  const { key, metadata } = exampleObject('one');
  const submission = key.slice(-64);
  const line = encodeCandidate(submission, metadata).slice(1);
  const other = submission.startsWith('0') ? '1' : '0';
  expect(isCandidateLine(line, other)).toBe(false);
  expect(isCandidateLine(JSON.stringify(encodeObjectMetadata(metadata)), '')).toBe(false);
  expect(isCandidateLine(JSON.stringify(encodeObjectMetadata(metadata)), submission)).toBe(true);
  expect(isCandidateLine(`${line.slice(0, -1)},"more":1}`, '')).toBe(false);
});

test('the line in docs/formats/object.md is what is written', async () => {
  const page = await readFile(new URL('../../../docs/formats/object.md', import.meta.url), 'utf8');
  const line = /^ {4}(\{"submission".*)$/m.exec(page)?.[1] ?? '';
  const { submission = '', metadata = {} } = decodeCandidate(line) ?? {};
  expect(encodeCandidate(submission, decodeObjectMetadata(metadata))).toBe(`\n${line}`);
});
