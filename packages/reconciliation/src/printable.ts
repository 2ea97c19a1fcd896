/** Makes a name from outside safe for a terminal and a log line. */
export function printable(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
