import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { TOPICS } from '@residency/contracts';
import { endWithParent, sendToParent } from '../stack/parent.ts';
import { openLog, settingsOfEnvironment } from '../stack/settings.ts';

// The least that an intake must do: read a body and append it, by the product's own appender. No
// limit, no check, no attribute, no answer that says where it is.
endWithParent();
const log = await openLog(settingsOfEnvironment());

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const server = createServer((request, response) => {
  void (async () => {
    const value = await bodyOf(request);
    const key = Buffer.from(randomUUID());
    await log.append([{ topic: TOPICS.samples, record: { key, headers: [], value } }]);
    response.writeHead(202).end();
  })().catch(() => {
    response.writeHead(503).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  sendToParent({ port: typeof address === 'object' ? address?.port : undefined });
});
