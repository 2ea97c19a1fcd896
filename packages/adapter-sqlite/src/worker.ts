import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from './database.ts';
import { createOperations } from './operations.ts';
import type { Operations } from './operations.ts';
import { openDatabase } from './schema.ts';
import { buffersWithin } from './wire.ts';
import { packError } from './wire-error.ts';
import type { Request, Response, WorkerSettings } from './worker-protocol.ts';

// node:sqlite blocks its thread (a third of a second for 50 MB): the log's own thread, one request after the other.
const port = parentPort;
if (port === null) throw new Error('Expected to be started as a worker thread.');

const settings: WorkerSettings = workerData;
const { file, busyTimeoutMs, maxPages } = settings;
let db: Database | undefined;
let operations: Operations | undefined;

port.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    db?.close();
    port.close();
    return;
  }
  const response = answer(request);
  port.postMessage(response, 'result' in response ? buffersWithin(response.result) : []);
});

function answer({ id, operation, parameters }: Request): Response {
  try {
    operations ??= open();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WorkerClient.call` gives each operation its own parameters
    const run = operations[operation] as (...values: readonly unknown[]) => unknown;
    return { id, result: run(...parameters) };
  } catch (error) {
    return { id, error: packError(error) };
  }
}

function open(): Operations {
  db = openDatabase(file, busyTimeoutMs);
  if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${maxPages}`);
  return createOperations(db);
}
