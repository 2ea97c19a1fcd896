import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { Database } from './database.ts';
import { FileIdentity } from './file-identity.ts';
import { createOperations } from './operations.ts';
import type { Operations } from './operations.ts';
import { openDatabase } from './schema.ts';
import { buffersWithin } from './wire.ts';
import { packError } from './wire-error.ts';
import type { Request, Response, WorkerSettings } from './worker-protocol.ts';

// node:sqlite blocks its thread (a third of a second for 50 MB). So the log has a thread of its
// own, with one request at a time.
const port = parentPort;
if (port === null) throw new Error('Expected to be started as a worker thread.');

const settings: WorkerSettings = workerData;
const { file, busyTimeoutMs, maxPages } = settings;
let db: Database | undefined;
let operations: Operations | undefined;
let opened: FileIdentity | undefined;

let last = Promise.resolve();
port.on('message', (request: Request | 'close') => {
  last = last.then(() => serve(port, request));
});

async function serve(to: MessagePort, request: Request | 'close'): Promise<void> {
  if (request === 'close') {
    db?.close();
    to.close();
    return;
  }
  const response = await answer(request);
  to.postMessage(response, 'result' in response ? buffersWithin(response.result) : []);
}

async function answer({ id, operation, parameters }: Request): Promise<Response> {
  try {
    operations ??= open();
    opened?.requireSameFile();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WorkerClient.call` gives each operation its own parameters
    const run = operations[operation] as (...values: readonly unknown[]) => unknown;
    return { id, result: await run(...parameters) };
  } catch (error) {
    return { id, error: packError(error) };
  }
}

function open(): Operations {
  db = openDatabase(file, busyTimeoutMs);
  opened = new FileIdentity(file);
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
  return createOperations(db);
}
