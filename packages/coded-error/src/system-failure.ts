const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free or add space',
  EDQUOT: 'the quota is used up: free space, or raise it',
  EMFILE: 'this process has too few file handles: raise its limit (ulimit -n) and start it again',
  ENFILE: 'the machine has too few file handles: raise its limit (fs.file-max)',
  EROFS: "it is mounted read-only: see why in the system's log, and mount it for writing",
  EIO: "the disk fails: see the system's log",
  EACCES: 'this process may not: correct owner and mode',
  EPERM: 'this process may not: correct owner and mode',
};

/** True for the operating system's names of a full disk or quota. */
export function isFull(errno: string): boolean {
  return errno === 'ENOSPC' || errno === 'EDQUOT';
}

/**
 * True if there are too few file handles. That says nothing about the file that was to be opened.
 */
export function isOutOfHandles(errno: string): boolean {
  return errno === 'EMFILE' || errno === 'ENFILE';
}

/** The operating system's name for a failure, with its meaning if it is known. */
export function systemFailure(errno: string): string {
  const advice = ADVICE[errno];
  return advice === undefined ? errno : `${errno}: ${advice}`;
}
