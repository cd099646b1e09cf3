/**
 * A shell in a process that is started like the front, for keys.test.ts. Floods the shell with each key in the place
 * named by the first argument, and prints the longest turn of the event loop for each key.
 */
import type { Notice, Welcome } from '../../src/domain/events/notice.ts';
import type { CoreClient } from '../../src/protocol/client.ts';
import type * as ShellModule from '../../src/shell/shell.ts';
import type { TerminalReceiver } from '../../src/domain/terminal.ts';
import type { TerminalPort } from '../../src/shell/terminal/port.ts';
import { alone } from '../support/alone.ts';
import { eventually } from '../support/eventually.ts';
import { container, whole } from '../support/containers.ts';
import { keys, places } from './keys.ts';
import { loopMs, maxTurnMs } from './eventLoop.ts';

// The built module, because Node.js cannot load JSX.
const { openShell } = (await import(new URL('../../dist/shell/shell.js', import.meta.url).href)) as typeof ShellModule;

/** Size of a flood, in bytes. */
const floodBytes = 2 * 1024;
/** Maximum size of a packet, in bytes. */
const packetBytes = 32 * 1024;

/** An in-memory terminal of a client. */
class Port implements TerminalPort {
  readonly environment = new Map<string, string>();
  readonly type: string;
  readonly hasInputEnded = false;
  columns: number;
  readonly rows = 24;
  written = '';
  readonly spend = alone.spend;
  readonly later = alone.later;
  held = false;
  #listener: TerminalReceiver | undefined;

  constructor(type: string, columns: number) {
    this.type = type;
    this.columns = columns;
  }

  write(data: string | Buffer): void {
    this.written = (this.written + data.toString()).slice(-100_000);
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  hold(held: boolean): void {
    this.held = held;
  }

  attach(listener: TerminalReceiver): void {
    this.#listener = listener;
  }

  send(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += packetBytes) this.#listener?.input(bytes.subarray(at, at + packetBytes));
  }

  resize(columns: number): void {
    this.columns = columns;
    this.#listener?.resize(columns, this.rows);
  }

  hangUp(): void {
    this.#listener?.end();
  }
}

const details = {
  ...container('owner'),
  storage: { pool: 'default', driver: 'zfs', quotas: true },
  hostKeyFingerprint: null,
  lastLoginAt: null,
  keyList: [],
  recent: { cpuPercent: [], memoryBytes: [] },
  jumpAccount: { exists: true, shell: null },
};
const results: Readonly<Record<string, unknown>> = {
  info: { container: details },
  list: { containers: [details], total: 1, running: 1 },
};
const welcome: Welcome = {
  crowded: false,
  present: [],
  running: [],
  ended: [],
  restarted: null,
  notes: [],
  lines: ['help', 'list'],
  settings: { plain: false },
};

function open(port: Port): ShellModule.Shell {
  const core: CoreClient = {
    greeting: { version: '1', host: { kind: 'simulated', simulated: true, why: 'it is a test' } },
    call: ({ verb }) => Promise.resolve({ result: results[verb] }),
  };
  let notify: (notice: Notice) => void = () => undefined;
  const shells: Parameters<typeof openShell>[0]['shells'] = {
    enter: (_session, _actor, onNotice) => {
      notify = onNotice;
      return Promise.resolve(welcome);
    },
    leave: () => undefined,
    feed: () => {
      setImmediate(() =>
        notify({ type: 'containers', feed: whole(...Array.from({ length: 50 }, (_, i) => container(`user${i}`))) }),
      );
      return Promise.resolve();
    },
    candidates: () => Promise.resolve(Array.from({ length: 50 }, (_, i) => ({ value: `user${i}` }))),
    typed: () => undefined,
    saveSettings: () => Promise.resolve(),
  };
  return openShell({
    port,
    actor: { name: 'tester', role: 'admin', entryPoint: 'manage', fingerprint: 'SHA256:x' },
    core,
    shells,
    reachedAt: 'jump',
  });
}

/** Waits until the event loop is idle. Resolves to the longest turn, in milliseconds of CPU time. */
async function settled(port: Port): Promise<number> {
  let longest = 0;
  // Ink draws every 16 ms at most, and waits 20 ms for the rest of a key sequence.
  for (let quiet = 0; quiet < 40;) {
    const before = loopMs(process.pid);
    await new Promise((resolve) => setImmediate(resolve));
    const ms = loopMs(process.pid) - before;
    longest = Math.max(longest, ms);
    quiet = ms < 0.3 && !port.held ? quiet + 1 : 0;
    if (quiet > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return longest;
}

async function flood(place: string, key: string): Promise<number> {
  const { type, typed, columns = 80 } = places[place] ?? { type: '', typed: [] };
  const flooded = Buffer.from((keys[key] ?? '').repeat(floodBytes)).subarray(0, floodBytes);
  const port = new Port(type, columns);
  const shell = open(port);
  try {
    await eventually(() => (/tester ·|> $/.test(port.written) ? true : undefined), 'a prompt');
    let longest = 0;
    const packets = [...typed, flooded, flooded];
    for (const [i, text] of packets.entries()) {
      port.send(Buffer.from(text));
      // The resize arrives during the last packet.
      if (i === packets.length - 1) port.resize(columns + 1);
      longest = Math.max(longest, await settled(port));
    }
    return longest;
  } finally {
    port.hangUp();
    await shell.ended;
  }
}

const place = process.argv[2] ?? '';
for (const key of Object.keys(keys)) {
  let least = Infinity;
  // The minimum of three floods excludes chance, above all garbage collections.
  for (let i = 0; i < 3 && least > maxTurnMs; i++) least = Math.min(least, await flood(place, key));
  console.log(JSON.stringify({ key, ms: Math.round(least) }));
}
process.exit(0);
