#!/usr/bin/env node
/**
 * Where the program begins. It loads the rest only where this Node.js can run it, so that an old one gets a sentence
 * instead of a stack trace.
 */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  config: { oldestNode: string };
};
const { oldestNode } = manifest.config;
const [wantedMajor = 0, wantedMinor = 0] = oldestNode.split('.').map(Number);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
  process.stderr.write(
    `Error: Node.js ${process.versions.node}: ${oldestNode} or newer is needed (settings)\nNext: npm run -s containarium -- …, which brings its own\n`,
  );
  process.exitCode = 2;
} else {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv.slice(2), process.env);
}
