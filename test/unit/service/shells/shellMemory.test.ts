import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ShellMemory } from '../../../../src/service/shells/shellMemory.ts';
import type { Actor } from '../../../../src/domain/access/actor.ts';

const unexpected = (failure: Error): void => {
  throw failure;
};

const tester: Actor = { name: 'tester', role: 'admin', entryPoint: 'manage' };

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), 'containarium-memory-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'shells.json');
}

describe('shell memory', () => {
  it('is persistent, separate for each entry point and name, and readable by its owner alone', async () => {
    const path = file();
    const memory = await ShellMemory.open(path, unexpected);
    memory.remember(tester, 'list');
    memory.set(tester, { plain: true });
    memory.left(tester, new Date('2026-01-02T03:04:05Z'));
    await memory.settled();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const again = await ShellMemory.open(path, unexpected);
    expect(again.of(tester)).toEqual({
      lines: ['list'],
      leftAt: '2026-01-02T03:04:05.000Z',
      settings: { plain: true },
    });
    expect(again.of({ ...tester, entryPoint: 'self' })).toMatchObject({ lines: [], leftAt: null });
  });

  it('at self@ is that of the key, because the keys of several people may log in under one name', async () => {
    const path = file();
    const ann: Actor = { name: 'alice', role: 'owner', entryPoint: 'self', fingerprint: 'SHA256:ann' };
    const memory = await ShellMemory.open(path, unexpected);
    memory.remember(ann, 'info bob');
    await memory.settled();
    const again = await ShellMemory.open(path, unexpected);
    expect(again.of({ ...ann, fingerprint: 'SHA256:ben' }).lines).toEqual([]);
    expect(again.of({ ...ann, name: 'bob' }).lines).toEqual(['info bob']);
  });

  it('forgets what an earlier version kept of owners under a name, and of nobody else', async () => {
    const path = file();
    const kept = { lines: ['info bob'], leftAt: null, settings: { plain: false } };
    writeFileSync(path, JSON.stringify({ people: { 'self:alice': kept, 'manage:tester': kept } }));
    const memory = await ShellMemory.open(path, unexpected);
    memory.left(tester, new Date('2026-01-02T03:04:05Z'));
    await memory.settled();
    expect(memory.of(tester).lines).toEqual(['info bob']);
    expect(readFileSync(path, 'utf8')).not.toContain('self:');
  });

  it.each([
    'create alice --ssh-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUE a@b"',
    'key add alice ssh-rsa AAAAB3Nza',
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    'say my password is hunter2',
    `say ${'A'.repeat(70)}`,
    'x'.repeat(2000),
    'with\ncontrol',
    '   ',
  ])('does not keep %j', async (line) => {
    const path = file();
    const memory = await ShellMemory.open(path, unexpected);
    memory.remember(tester, 'whoami');
    memory.remember(tester, line);
    await memory.settled();
    expect(memory.of(tester).lines).toEqual(['whoami']);
    if (line.trim() !== '') expect(readFileSync(path, 'utf8')).not.toContain(JSON.stringify(line.trim()).slice(1, -1));
  });

  it('keeps only the last 500 lines, each once', async () => {
    const memory = await ShellMemory.open(file(), unexpected);
    for (let i = 0; i < 600; i++) memory.remember(tester, `info user${i}`);
    memory.remember(tester, 'info user599');
    const { lines } = memory.of(tester);
    expect(lines).toHaveLength(500);
    expect(lines.at(-1)).toBe('info user599');
    expect(lines[0]).toBe('info user100');
    await memory.settled();
  });

  it('starts empty if its file is unreadable, reports that, and leaves the file alone', async () => {
    const path = file();
    writeFileSync(path, 'not json');
    const failures: string[] = [];
    const memory = await ShellMemory.open(path, ({ why }) => failures.push(why));
    expect(failures).toEqual(['it is not JSON']);
    memory.remember(tester, 'list');
    await memory.settled();
    expect(memory.of(tester).lines).toEqual(['list']);
    expect(readFileSync(path, 'utf8')).toBe('not json');
  });
});
