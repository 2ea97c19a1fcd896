#!/bin/sh
':' /* A shell reads this comment up to exec, and Node what follows it.
# npm puts its own Node first on the path. On a minimal system that one may lack a library, and would end without a word of ours.
# A command lives shorter than the small young generation that V8 begins with suits: 16 MB spare it most collections.
heap=--min-semi-space-size=16
if why=$(node -v 2>&1 >/dev/null); then exec node $heap "$0" "$@"; fi
IFS=:
for folder in $PATH; do
  if [ -x "$folder/node" ] && "$folder/node" -e 'process.exit(Number(parseInt(process.versions.node) < 26))' >/dev/null 2>&1; then
    echo "residency: npm's Node does not start ($why); going on with $folder/node." >&2
    unset IFS
    exec "$folder/node" $heap "$0" "$@"
  fi
done
library=$(echo "$why" | sed -n 's|.*loading shared libraries: \([^:]*\):.*|\1|p')
case $library in
  libatomic*) package='libatomic1 (Debian, Ubuntu: apt-get install libatomic1) or libatomic (Fedora, RHEL, Alpine)' ;;
  libstdc*) package='libstdc++6 (Debian, Ubuntu) or libstdc++ (Fedora, RHEL, Alpine)' ;;
  *) package='the package of your system that has it' ;;
esac
echo "residency: Expected a Node.js 26 that starts, found none on the path. The first one says: ${why:-nothing}" >&2
if [ -n "$library" ]; then echo "residency: $library is missing; install $package, and run this again." >&2
else echo 'residency: run npm ci in the project, or install Node.js 26 or newer.' >&2; fi
exit 3
*/;
// Plain JavaScript of an old kind, so that an old Node can say that it is one.
const wanted = 26;
const found = process.versions.node;
if (Number(found.split('.')[0]) < wanted) {
  process.stderr.write('residency: Expected Node.js ' + wanted + ' or newer, found ' + found + '; install it, or run the one in node_modules/.bin.\n');
  process.exitCode = 2;
} else {
  // A batch's fsyncs run side by side; four threads, the default, would queue them. Read when the first file is.
  if (process.env.UV_THREADPOOL_SIZE === undefined) process.env.UV_THREADPOOL_SIZE = '16';
  const { keepCompiledCode } = await import('./code-cache.js');
  keepCompiledCode(process.env);
  await import('../src/main.ts');
}
