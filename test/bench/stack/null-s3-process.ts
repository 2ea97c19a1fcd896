import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SITE_MARKER_KEY, SITE_PROBE_KEY, encodeSiteMarker } from '@residency/contracts';
import { REGIONS } from '../workload.ts';
import { endWithParent, sendToParent } from './parent.ts';

// An S3 endpoint that stores nothing: it treats every object as new, and every bucket named
// `<site>-...` as that site's. It reports when the first object of a run arrives, and how many
// arrived.
let armed = false;
let puts = 0;

function markerOf(bucket: string): Buffer | undefined {
  for (const [region, { sites }] of Object.entries(REGIONS)) {
    const site = sites.find((name) => bucket.startsWith(`${name}-`));
    if (site !== undefined) return encodeSiteMarker({ region, site });
  }
  return undefined;
}

function put(request: IncomingMessage, response: ServerResponse): void {
  if (armed) sendToParent({ firstPutAt: Date.now() });
  armed = false;
  puts += 1;
  request.resume().once('end', () => {
    response
      .writeHead(200, { etag: '"00000000000000000000000000000000"', 'content-length': 0 })
      .end();
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  request.resume().once('end', () => {
    response.writeHead(status, { 'content-length': 0 }).end();
  });
}

const server = createServer((request, response) => {
  const [, bucket = '', key = ''] = /^\/([^/?]+)\/?([^?]*)/.exec(request.url ?? '') ?? [];
  if (key === SITE_MARKER_KEY && request.method !== 'PUT') {
    const marker = markerOf(bucket);
    if (marker === undefined) refuse(request, response, 404);
    else
      response
        .writeHead(200, {
          etag: '"00000000000000000000000000000000"',
          'content-length': marker.length,
        })
        .end(request.method === 'HEAD' ? undefined : marker);
  } else if (key === SITE_MARKER_KEY || (key === SITE_PROBE_KEY && request.method === 'PUT'))
    refuse(request, response, 412);
  else if (request.method === 'PUT') put(request, response);
  else refuse(request, response, 404);
});
// An idle connection must not be closed at the moment of its next use.
server.keepAliveTimeout = 0;
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  sendToParent({ port: (server.address() as AddressInfo).port });
});

process.on('message', ({ ask }: { readonly ask: 'arm' | 'puts' }) => {
  if (ask === 'arm') [armed, puts] = [true, 0];
  else {
    // Who waits for the first object is answered, too.
    if (armed) sendToParent({});
    armed = false;
    sendToParent({ puts });
  }
});
endWithParent();
