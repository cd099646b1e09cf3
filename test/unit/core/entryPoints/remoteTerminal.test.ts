/** The terminal of a caller, before and after a program has it: nothing that is typed is lost. */
import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { RemoteTerminal } from '../../../../src/core/entryPoints/remoteTerminal.ts';
import { connectOver } from '../../../../src/protocol/connection.ts';
import { messages } from '../../../../src/protocol/messages.ts';

let front: MessageConnection;
let core: MessageConnection;
let terminal: RemoteTerminal;
let holds: boolean[];

beforeEach(() => {
  const [mine, theirs] = duplexPair();
  [core, front] = [connectOver(mine), connectOver(theirs)];
  holds = [];
  front.onNotification(messages.terminalHold, ({ held }: { held: boolean }) => void holds.push(held));
  core.listen();
  front.listen();
  const request = { id: 'call', login: 'login', verb: 'shell', input: {} };
  terminal = new RemoteTerminal(core, request, { columns: 80, rows: 24, type: 'xterm' });
});
afterEach(() => {
  core.dispose();
  front.dispose();
});

const piece = Buffer.alloc(32 * 1024, 'x');

/** Attaches a program that reads everything. */
function attach(input: (data: Buffer) => void = () => undefined) {
  let bytes = 0;
  const end = vi.fn();
  terminal.attach({
    input: (data) => {
      bytes += data.length;
      input(data);
    },
    resize: () => undefined,
    end,
  });
  return { bytes: () => bytes, end };
}

describe('input before a program has the terminal', () => {
  it('is held back by the caller beyond 64 KiB, and reaches the program whole', async () => {
    terminal.input(piece);
    terminal.input(piece);
    expect(holds).toEqual([]);
    // What was on its way.
    for (let i = 0; i < 8; i++) terminal.input(piece);
    await vi.waitFor(() => expect(holds).toEqual([true]));
    const program = attach();
    await vi.waitFor(() => expect(holds).toEqual([true, false]));
    expect(program.bytes()).toBe(10 * piece.length);
  });

  it('is still held back if the program takes no more either', async () => {
    for (let i = 0; i < 4; i++) terminal.input(piece);
    attach(() => terminal.hold(true));
    await vi.waitFor(() => expect(holds).toEqual([true]));
    terminal.hold(false);
    await vi.waitFor(() => expect(holds).toEqual([true, false]));
  });

  it('of a caller that holds nothing back ends the terminal', () => {
    for (let i = 0; i < 200; i++) terminal.input(piece);
    const program = attach();
    expect(program.end).toHaveBeenCalledOnce();
    expect(program.bytes()).toBe(0);
  });
});
