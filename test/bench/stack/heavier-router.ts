// Loaded into a router before its own code: doubles what it computes, so that a test sees how the
// short form finds that.
const EVERY_MS = 10;
let burnt = 0;
let seen = used();

function used(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

setInterval(() => {
  const owed = used() - burnt - seen;
  seen += owed;
  const start = used();
  while (used() - start < owed) Math.sqrt(owed);
  burnt += used() - start;
}, EVERY_MS).unref();
