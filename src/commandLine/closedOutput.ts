/**
 * Ends this process when its standard output takes no more: without a word where the reader has left (`… | head -1`),
 * with a sentence otherwise, for example on a full disk. The exit code of a command that was done stays.
 */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`Error: standard output: it cannot be written (${error.code ?? error.message})\n`);
    process.exit(1);
  });
  process.stderr.on('error', () => process.exit());
}
