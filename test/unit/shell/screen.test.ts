/** The shell on a screen, without SSH: how one shell fails or ends, and that the others continue. */
import { describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import type { Welcome } from '../../../src/domain/events/notice.ts';
import type { CoreClient } from '../../../src/protocol/client.ts';
import type { ShellClient } from '../../../src/protocol/shellClient.ts';
import { openShell, type Shell } from '../../../src/shell/shell.ts';
import type { TerminalReceiver } from '../../../src/domain/terminal.ts';
import type { TerminalPort } from '../../../src/shell/terminal/port.ts';
import { alone } from '../../support/alone.ts';

const actor: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage', fingerprint: 'SHA256:x' };

/** A client's terminal in memory. */
class FakePort implements TerminalPort {
  readonly type = 'xterm';
  readonly environment = new Map<string, string>();
  readonly hasInputEnded = false;
  columns = 80;
  rows = 24;
  written = '';
  readonly spend = alone.spend;
  readonly later = alone.later;
  listener: TerminalReceiver | undefined;

  write(data: string | Buffer): void {
    this.written += data.toString();
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  hold(): void {
    // Everything is read.
  }

  attach(listener: TerminalReceiver): void {
    this.listener = listener;
  }

  type_(text: string): void {
    this.listener?.input(Buffer.from(text));
  }
}

const welcome: Welcome = {
  crowded: false,
  present: [],
  running: [],
  ended: [],
  restarted: null,
  notes: [],
  lines: [],
  settings: { plain: false },
};

function open(change: { call?: CoreClient['call']; enter?: ShellClient['enter'] } = {}): {
  port: FakePort;
  shell: Shell;
} {
  const port = new FakePort();
  const core: CoreClient = {
    greeting: { version: '1', host: { kind: 'simulated', simulated: true, why: 'a test' } },
    call: change.call ?? (() => new Promise(() => undefined)),
  };
  const shells: ShellClient = {
    enter: change.enter ?? (() => Promise.resolve(welcome)),
    leave: () => undefined,
    feed: () => Promise.resolve(),
    candidates: () => Promise.resolve([]),
    typed: () => undefined,
    saveSettings: () => Promise.resolve(),
  };
  return { port, shell: openShell({ port, actor, core, shells, reachedAt: 'jump' }) };
}

const drawn = (port: FakePort): Promise<void> =>
  vi.waitFor(() => expect(port.written).toContain('tester ·'), { timeout: 5000 });

describe('a shell', () => {
  it('whose drawing throws ends alone, with the reason and a restored terminal', async () => {
    // A running call without steps cannot be drawn.
    const running = [
      { id: '1', verb: 'create', target: 'alice', actor: 'carol', startedAt: '', steps: undefined as never },
    ];
    const other = open();
    await drawn(other.port);
    const broken = open({ enter: () => Promise.resolve({ ...welcome, running }) });
    expect(await broken.shell.ended).toBe(1);
    expect(broken.port.written).toMatch(/Error: the shell failed: .* \(internal\)/);
    for (const mode of ['2004', '1049', '2026'])
      expect(broken.port.written.lastIndexOf(`\x1b[?${mode}h`)).toBeLessThanOrEqual(
        broken.port.written.lastIndexOf(`\x1b[?${mode}l`),
      );
    expect(broken.port.written.lastIndexOf('\x1b[?25l')).toBeLessThanOrEqual(
      broken.port.written.lastIndexOf('\x1b[?25h'),
    );
    other.port.type_('hello');
    await vi.waitFor(() => expect(other.port.written).toContain('hello'));
    other.port.type_('\x15\x04');
    expect(await other.shell.ended).toBe(0);
  });

  it('turns screen-reader mode on and off at once, and keeps its earlier lines', async () => {
    const { port, shell } = open();
    await drawn(port);
    port.type_('plain on\r');
    await vi.waitFor(() => expect(port.written).toContain('Screen-reader mode: only lines of text.'), {
      timeout: 5000,
    });
    await vi.waitFor(() => expect(port.written).toMatch(/Screen-reader mode is on, also after your next login/));
    const before = port.written.length;
    port.type_('wrong\r');
    await vi.waitFor(() => expect(port.written.slice(before)).toContain('(unknown-command)'));
    expect(port.written.slice(before)).not.toContain('\x1b');
    // Up, from the line that turned it on.
    port.type_('\x1b[A\x1b[A');
    await vi.waitFor(() => expect(port.written.slice(before)).toContain('> plain on'));
    const plain = port.written.length;
    port.type_('\x15plain off\r');
    await vi.waitFor(() => expect(port.written.slice(plain)).toContain('tester ·'), { timeout: 5000 });
    await vi.waitFor(() => expect(port.written.slice(plain)).toContain('Screen-reader mode is off.'));
    port.type_('\x04');
    expect(await shell.ended).toBe(0);
  });

  it('that core refuses shows the reason and ends', async () => {
    const { port, shell } = open({ enter: () => Promise.reject(new Error('no room')) });
    expect(await shell.ended).toBe(1);
    expect(port.written).toContain('Error: ');
    expect(port.written).toContain('no room');
  });

  it('that gets a malformed answer shows an error, continues, and ends with the status of its last command', async () => {
    const { port, shell } = open({ call: () => Promise.resolve({ result: undefined }) });
    await drawn(port);
    port.type_('list\r');
    await vi.waitFor(() => expect(port.written).toMatch(/\(internal\)/));
    port.type_('\x04');
    expect(await shell.ended).toBe(1);
  });
});

describe('the end of a shell', () => {
  it('from outside is announced once, with the reason', async () => {
    const { port, shell } = open();
    await drawn(port);
    shell.end('the server is stopping', 1);
    expect(await shell.ended).toBe(1);
    expect(port.written.match(/The session ends: the server is stopping/g)).toHaveLength(1);
    const length = port.written.length;
    shell.end('again', 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(port.written.length).toBe(length);
  });

  it('writes nothing if the client has disconnected', async () => {
    const { port, shell } = open();
    await drawn(port);
    port.listener?.end();
    const length = port.written.length;
    expect(await shell.ended).toBe(255);
    expect(port.written.length).toBe(length);
  });
});
