#!/usr/bin/env node
// Plain JavaScript of an old kind, so that an old Node can say that it is one.
const wanted = 26;
const found = process.versions.node;
if (Number(found.split('.')[0]) < wanted) {
  process.stderr.write('residency: Expected Node.js ' + wanted + ' or newer, found ' + found + '; install it, or run the one in node_modules/.bin.\n');
  process.exitCode = 2;
} else {
  // A batch's fsyncs run side by side; four threads, the default, would queue them. Read when the first file is.
  if (process.env.UV_THREADPOOL_SIZE === undefined) process.env.UV_THREADPOOL_SIZE = '16';
  await import('../src/main.ts');
}
