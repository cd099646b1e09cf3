/** Assigns the samples of a CPU profile to what the process was doing, by the files of the sources. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CpuProfile } from '../../soak/inspector.ts';

/**
 * Work by the source file of the innermost call that is in one of these. What such a call makes Node.js do counts to
 * it.
 */
const works: readonly (readonly [work: string, files: RegExp])[] = [
  ['key exchange', /\/ssh2\/lib\/protocol\/kex\.js$|\/guards\/keyExchanges\.ts$/],
  ['verification of the signature', /\/src\/identity\/(?:signature|proof)\.ts$/],
  ['whom a key admits', /\/src\/identity\/|\/src\/(?:front\/connections\/authentication|core\/logins\/.*)\.ts$/],
  ['encryption of packets', /\/ssh2\/lib\/protocol\/crypto(?:\.js|\/)/],
  ['the rest of ssh2', /\/node_modules\/ssh2\/|\/node_modules\/asn1\//],
  ['JSON-RPC', /\/node_modules\/vscode-jsonrpc\/|\/src\/protocol\//],
  ['checks by zod', /\/node_modules\/zod\//],
  ['parsing and rendering', /\/src\/(?:catalogue|commandLine)\/|\/node_modules\/(?:commander|string-width)\//],
  ['journal', /\/src\/(?:journal|core\/records)\/|\/node_modules\/lowdb\//],
  ['log', /\/node_modules\/(?:pino|sonic-boom)\//],
  ['limits before a login', /\/src\/(?:admission|connectionLimits)\/|\/src\/front\/(?:admission|guards)\//],
  ['the rest of the front', /\/src\/front\//],
  ['the rest of core', /\/src\//],
];
const collection = 'garbage collection';
const node = 'Node.js: sockets, streams, timers';

/** Returns how long the process did what, in milliseconds, the longest first. Idle time is left out. */
export function timeByWork(profile: CpuProfile): (readonly [work: string, ms: number])[] {
  const byId = new Map(profile.nodes.map((each) => [each.id, each]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const known = new Map<number, string | undefined>();
  const workOf = (id: number): string | undefined => {
    const found = byId.get(id);
    if (found === undefined) return node;
    const { functionName } = found.callFrame;
    if (functionName === '(idle)') return undefined;
    if (functionName === '(garbage collector)') return collection;
    const file = sourceOf(found.callFrame);
    const work = works.find(([, files]) => files.test(file))?.[0];
    const parent = parents.get(id);
    return work ?? (parent === undefined ? node : workOf(parent));
  };
  const sums = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    if (!known.has(id)) known.set(id, workOf(id));
    const work = known.get(id);
    if (work === undefined) return;
    sums.set(work, (sums.get(work) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  return [...sums].sort(([, one], [, other]) => other - one);
}

const maps = new Map<string, SourceMap | undefined>();

/** Returns the file in which a function was written: the build joins many to one. */
function sourceOf({ url, lineNumber, columnNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (!url.startsWith('file:')) return url;
  if (!maps.has(url)) maps.set(url, mapOf(fileURLToPath(url)));
  const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
  return entry !== undefined && 'originalSource' in entry ? `/${entry.originalSource}` : url;
}

function mapOf(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')) as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    // ssh2 is not joined.
    return undefined;
  }
}
