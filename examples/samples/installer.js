// Harmless: prints a line.
console.log('nothing was installed');
