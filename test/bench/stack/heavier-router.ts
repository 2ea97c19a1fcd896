// Loaded into a router before its own code: trebles what it computes, so that a test sees how the
// short form finds that. Twice would be near the limit on a busy machine.
const EVERY_MS = 10;
let burnt = 0;
let seen = used();

function used(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

setInterval(() => {
  const computed = used() - burnt - seen;
  seen += computed;
  const owed = 2 * computed;
  const start = used();
  while (used() - start < owed) Math.sqrt(owed);
  burnt += used() - start;
}, EVERY_MS).unref();
