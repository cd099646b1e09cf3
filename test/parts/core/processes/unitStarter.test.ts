/** core's part of running the front as a systemd unit. test/host/service.test.ts tests it with systemd itself. */
import { EventEmitter, once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { logProcess } from '../../../../src/core/processes/processLog.ts';
import { FrontRestarts } from '../../../../src/core/processes/frontRestarts.ts';
import { bindPort } from '../../../../src/core/processes/listener.ts';
import { frontKind } from '../../../../src/core/processes/processStarter.ts';
import { UnitStarter } from '../../../../src/core/processes/unitStarter.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';
import { frontRestartText } from '../../../../src/domain/events/notice.ts';
import type { Command, Output, Runner } from '../../../../src/host/runner.ts';
import { connectOver } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';

const imported = (path: string): string => pathToFileURL(join(import.meta.dirname, '../../../../src', path)).href;
const front = `
  import { createServer, Socket } from 'node:net';
  import { connectOver } from '${imported('protocol/connection.ts')}';
  import { messages } from '${imported('protocol/messages.ts')}';
  const fd = (name) => Number(process.argv.find((each) => each.startsWith(name)).split('=')[1]);
  const channel = new Socket({ fd: fd('--channel') }).on('close', () => process.exit(0));
  const core = connectOver(channel);
  core.listen();
  setInterval(() => core.sendNotification(messages.alive), 50);
  createServer((socket) => socket.end('served')).listen({ fd: fd('--listener') }, () => core.sendNotification(messages.listening));
`;

describe('a front as a systemd unit', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'containarium-unit-'));
    // A stand-in for systemd-run: writes down its arguments, and runs the command with its own descriptors, as `--pipe`
    // does.
    await writeFile(
      join(folder, 'systemd-run'),
      `#!/bin/sh\nprintf '%s\\n' "$@" > '${folder}/asked'\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`,
    );
    await chmod(join(folder, 'systemd-run'), 0o755);
    await writeFile(join(folder, 'front.mjs'), front);
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('inherits its two sockets, is never root, and is killed by the name of its unit', async () => {
    const ran: string[] = [];
    const runner: Runner = {
      run: ({ program, args, allowExit }: Command): Promise<Output> => {
        ran.push([program, ...args].join(' '));
        expect(allowExit).toContain(5);
        return Promise.resolve({ stdout: '', stderr: '', exitCode: 5 });
      },
    };
    const bound = bindPort({ address: '127.0.0.1', port: 0 });
    const run = await new UnitStarter({
      kind: frontKind,
      entry: join(folder, 'front.mjs'),
      log: pino({ level: 'silent' }),
      runner,
      systemdRun: join(folder, 'systemd-run'),
    }).start(bound);
    // A front that an earlier core may have left is stopped first.
    expect(ran.splice(0)).toEqual([
      'systemctl kill --signal=KILL containarium-front.service',
      'systemctl stop containarium-front.service',
      'systemctl reset-failed containarium-front.service',
    ]);
    const connection = connectOver(run.channel);
    const serving = new Promise<void>((resolve) => connection.onNotification(messages.listening, () => resolve()));
    connection.listen();
    await serving;
    await new Promise<void>((resolve) => connection.onNotification(messages.alive, () => resolve()));
    const socket = connect(bound.where.port, '127.0.0.1');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('served');
    const asked = (await readFile(join(folder, 'asked'), 'utf8')).split('\n');
    for (const option of [
      '--pipe',
      '--wait',
      '--collect',
      '--unit=containarium-front.service',
      '--uid=containarium-front',
      '--property=NoNewPrivileges=yes',
      '--channel=1',
      '--listener=0',
    ])
      expect(asked).toContain(option);
    run.kill();
    await vi.waitUntil(() => ran.length > 0);
    expect(ran).toEqual(['systemctl kill --signal=KILL containarium-front.service']);
    // There is no unit to kill here: the stand-in ends when core closes the connection.
    connection.dispose();
    run.channel.destroy();
    bound.close();
    expect(await run.ended).toMatchObject({ code: 0 });
  });
});

describe("the front's output on standard error", () => {
  it("is logged as the front's, without control characters, in lines of limited length and number", async () => {
    const out = new PassThrough();
    const lines: { front?: string; dropped?: number; level: number }[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
    const output = logProcess(out, frontKind, log);
    out.write('{"level":60,"msg":"core is taken over"}\n\u001b[31mred\nlong ');
    out.write('x'.repeat(100_000));
    out.write(`\n${'flood\n'.repeat(1000)}last`);
    out.end();
    await once(out, 'end');
    expect(lines[0]).toMatchObject({
      level: 40,
      front: { level: 60, msg: 'core is taken over' },
      msg: 'output of the front',
    });
    expect(lines[1]?.front).not.toContain('\u001b');
    expect(lines[2]?.front?.length).toBe(4096);
    expect(lines).toHaveLength(100);
    expect(output.last).toBe('last');
  });

  it('is cut at the limit in a long line, and in a line that never ends', () => {
    const out = Object.assign(new EventEmitter(), { setEncoding: () => undefined });
    const lines: { front?: string }[] = [];
    const output = logProcess(
      out as unknown as Readable,
      frontKind,
      pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as never) }),
    );
    out.emit('data', `${'x'.repeat(60_000)}\n`);
    expect(lines[0]?.front).toBe('x'.repeat(4096));
    // More than a string can hold.
    const much = 'y'.repeat(2 ** 24);
    for (let i = 0; i < 40; i++) out.emit('data', much);
    out.emit('end');
    expect(output.last).toBe('y'.repeat(4096));
  });
});

describe('a restart of the front', () => {
  const carol: Actor = { name: 'carol', role: 'admin', entryPoint: 'manage' };

  it('is reported once to each person, and not to root on the host', () => {
    let nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
    const frontRestarts = new FrontRestarts(() => nowMs);
    expect(frontRestarts.next(carol)).toBeNull();
    frontRestarts.replaced('stood-still');
    expect(frontRestarts.next({ ...carol, entryPoint: 'local', role: 'root' })).toBeNull();
    const restart = frontRestarts.next(carol);
    expect(restart).toEqual({ at: '2026-01-02T03:04:05.000Z', why: 'stood-still' });
    expect(restart === null ? '' : frontRestartText(restart)).toBe(
      'The SSH server was restarted at 03:04 UTC because it stopped responding. Operations were not interrupted.',
    );
    expect(frontRestarts.next(carol)).toBeNull();
    expect(frontRestarts.next({ ...carol, entryPoint: 'self', role: 'owner' })).not.toBeNull();
    frontRestarts.replaced('ended');
    expect(frontRestarts.next(carol)).toMatchObject({ why: 'ended' });
    frontRestarts.replaced('ended');
    nowMs += 25 * 60 * 60_000;
    expect(frontRestarts.next(carol)).toBeNull();
  });
});
