import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A submission as a foreign pipeline would send it. No code of this system is involved. */
export interface Foreign {
  readonly id: string;
  readonly country: string;
  readonly consent: string;
  /** The sample. */
  readonly path: string;
}

export interface Target {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** A folder for files that are written before they are sent. */
  readonly folder: string;
}

const SOURCE = 'urn:example:telemetry';
const TYPE = 'threat.sample.submitted.v1';

/** CloudEvents' Kafka binding, binary mode: attributes are headers, the value is the file. */
export async function sendBinary(
  { id, country, consent, path }: Foreign,
  target: Target,
): Promise<void> {
  const attributes = {
    specversion: '1.0',
    id,
    source: SOURCE,
    type: TYPE,
    usercountry: country,
    consentid: consent,
    verdict: 'malicious',
  };
  const headers = [
    ['content-type', 'application/octet-stream'],
    ...Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]),
  ];
  await kcat(
    target,
    consent,
    headers.map(([name, value]) => `${name}=${value}`),
    path,
  );
}

/** Structured mode: one JSON document, the file in base64. */
export async function sendStructured(
  { id, country, consent, path }: Foreign,
  target: Target,
): Promise<void> {
  const document = {
    specversion: '1.0',
    id,
    source: SOURCE,
    type: TYPE,
    datacontenttype: 'application/octet-stream',
    usercountry: country,
    consentid: consent,
    verdict: 'suspicious',
    data_base64: (await readFile(path)).toString('base64'),
  };
  const file = `${target.folder}/${id}.json`;
  await writeFile(file, JSON.stringify(document));
  await kcat(target, consent, ['content-type=application/cloudevents+json; charset=UTF-8'], file);
}

async function kcat(
  { brokers, topic }: Target,
  key: string,
  headers: readonly string[],
  file: string,
): Promise<void> {
  const options = [
    '-P',
    '-b',
    brokers.join(','),
    '-t',
    topic,
    '-k',
    key,
    '-X',
    'message.max.bytes=25165824',
    '-X',
    'acks=all',
  ];
  await run('kcat', [...options, ...headers.flatMap((header) => ['-H', header]), file]);
}
