#!/usr/bin/env node
/**
 * The entry of the program. It loads the rest only if this Node.js can run it, so that an old version prints a message
 * and not a stack trace.
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
    `Error: Node.js ${process.versions.node}: version ${oldestNode} or newer is required (settings)\nNext: run it with "npm run -s containarium -- …", which uses its own Node.js\n`,
  );
  process.exitCode = 2;
} else {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv.slice(2), process.env);
}
