#!/usr/bin/env node
/**
 * Where the program begins. Loads the rest only when this Node.js can run it, so that an old one gets a sentence
 * instead of a stack trace.
 */
const oldest = [22, 12] as const;
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `Error: Node.js ${process.versions.node}: ${oldest.join('.')} or newer is needed (settings)\nNext: npm run -s containarium -- …, which brings its own\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./local/main.ts');
  process.exitCode = await main(process.argv.slice(2), process.env);
}
