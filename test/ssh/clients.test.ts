/**
 * Stock clients against this server: OpenSSH of the machine and of the next release, PuTTY's plink, Dropbear's
 * dbclient, programs on paramiko and on Go's x/crypto/ssh, ssh-keyscan. Each opens the shell, runs commands, pipes keys
 * in, gets exit statuses, and loses no byte during a key change, whichever side starts it.
 */
import { once } from 'node:events';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../support/keys.ts';
import {
  eventually,
  finished,
  startServer,
  temporaryFolder,
  type Finished,
  type TestServer,
} from '../support/server.ts';
import { keyscan, publicHostKey, sshClients, type ClientOptions, type SshClient } from '../support/sshClients.ts';
import { openTerminal, telling } from '../support/terminal.ts';

const rekeyBytes = 16_384;

/** One server with the defaults, and one that changes keys as often as its configuration allows. */
let quiet: TestServer;
let restless: TestServer;
let user: TestKey;
let users = 0;

const all = await sshClients();

beforeAll(async () => {
  [quiet, restless] = await Promise.all([startServer(), startServer({ config: { ssh: { rekeyBytes } } })]);
  user = await makeKey(await temporaryFolder(), 'user');
  for (const server of [quiet, restless])
    expect((await server.ssh(['create', 'alice'], { stdin: user.line })).code).toBe(0);
});

async function run(
  client: SshClient,
  server: TestServer,
  words: readonly string[],
  { stdin, ...options }: ClientOptions & { stdin?: string } = {},
): Promise<Finished> {
  const [program = '', ...args] = await client.command(server, options);
  return finished(
    await execa(program, [...args, ...words], {
      reject: false,
      stripFinalNewline: false,
      env: client.env,
      ...(stdin === undefined ? { stdin: 'ignore' } : { input: stdin }),
    }),
  );
}

const prompt = /alice@[a-z-]+:~\$ $/;
const linesUp = 40;
/** Enough output for more than 20 key changes of the server, and more than 5 of a client. */
const lastNumber = 70_000;

/** Uses a terminal session in a container: 800 KB of numbers arrive, and typed lines are echoed. */
async function fullTerminal(
  client: SshClient,
  server: TestServer,
  options: ClientOptions,
): Promise<{ exchanges: number | undefined; code: number }> {
  const [program = '', ...args] = await client.command(server, {
    ...options,
    terminal: true,
    piped: true,
    verbose: true,
  });
  const child = execa(program, [...args, 'shell alice'], {
    reject: false,
    env: client.env,
    buffer: false,
    stdin: 'pipe',
  });
  let text = '';
  let stderr = '';
  let isOver = false;
  void child.then(() => (isOver = true));
  child.stdout.on('data', (data: Buffer) => (text += data.toString('latin1')));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString('latin1')));
  const prompted = async (): Promise<string> => {
    await eventually(
      () => {
        if (isOver) throw new Error(`it ended: ${text.slice(-500)}\n${stderr.slice(-2000)}`);
        return prompt.test(text) ? true : undefined;
      },
      () => Promise.resolve(`a prompt; there is:\n${text.slice(-200)}\n${stderr.slice(-1000)}`),
      60_000,
    );
    const shown = text;
    text = '';
    return shown;
  };
  try {
    await prompted();
    child.stdin.write(`seq ${lastNumber}\r`);
    const numbers = await prompted();
    const expected = Array.from({ length: lastNumber }, (_, n) => `${n + 1}\r\n`).join('');
    expect(numbers.replace(prompt, '') === `seq ${lastNumber}\r\n${expected}`, 'every number once, in order').toBe(
      true,
    );

    const lines = Array.from({ length: linesUp }, (_, n) => `${n}-${'x'.repeat(400)}`);
    for (const line of lines) {
      if (!child.stdin.write(`echo ${line}\r`)) await once(child.stdin, 'drain');
    }
    await eventually(
      () => (text.includes(`\n${lines.at(-1)}\r\n`) ? true : undefined),
      'the last line comes back',
      60_000,
    );
    const echoed = (await prompted()).split('\r\n').filter((line) => /^\d+-x/.test(line));
    expect(echoed.length === linesUp && echoed.every((line, n) => line === lines[n]), 'every line once, in order').toBe(
      true,
    );
    child.stdin.write('exit\r');
    const { exitCode } = await child;
    return { exchanges: client.exchanges(stderr), code: exitCode ?? -1 };
  } finally {
    child.kill('SIGKILL');
  }
}

describe.each(all.map((client) => [client.name, client] as const))('%s', (_name, client) => {
  it('opens the shell and closes it', async () => {
    const [program = '', ...args] = await client.command(quiet, { terminal: true });
    const environment = Object.entries(client.env).map(([name, value]) => `${name}=${value}`);
    const terminal = await openTerminal(['env', ...environment, ...telling, program, ...args]);
    await terminal.shows(/You are tester \(admin\)/);
    await terminal.shows(/^› ?$/m);
    await terminal.type('list', 'Enter');
    await terminal.shows(/alice/);
    await terminal.type('exit', 'Enter');
    await terminal.shows(/^ended with 0$/m);
  });

  it('runs a command and gets its exit status', async () => {
    const ok = await run(client, quiet, ['whoami', '--json']);
    expect(JSON.parse(ok.stdout)).toMatchObject({ ok: true, result: { name: 'tester', entryPoint: 'manage' } });
    expect(ok.code).toBe(0);
    expect((await run(client, quiet, ['info', 'missing'])).code).toBe(3);
    expect((await run(client, quiet, ['create', 'alice'], { stdin: user.line })).code).toBe(5);
  });

  it('sends a key on standard input', async () => {
    const name = `piped-${++users}`;
    const { code, stdout, stderr } = await run(client, quiet, ['create', name], { stdin: user.line });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(new RegExp(`Container ${name}-container created`));
    expect((await run(client, quiet, ['info', name, '--json'])).stdout).toContain(user.fingerprint);
  });

  it('loses nothing in a busy terminal while the server changes keys', async () => {
    const { exchanges, code } = await fullTerminal(client, restless, {});
    expect(code).toBe(0);
    if (exchanges !== undefined) expect(exchanges).toBeGreaterThan(20);
  }, 240_000);

  it('loses no input and no output of a command while the server changes keys', async () => {
    const reference = await quiet.ssh(['help', '--json']);
    expect(reference.stdout.length).toBeGreaterThan(2 * rekeyBytes);
    expect((await run(client, restless, ['help', '--json'])).stdout).toBe(reference.stdout);
    // The key follows the largest accepted amount of comments.
    const name = `long-${++users}`;
    const created = await run(client, restless, ['create', name], {
      stdin: `${`# ${'x'.repeat(77)}\n`.repeat(790)}${user.line}`,
      verbose: true,
    });
    expect(created.code, created.stderr).toBe(0);
    const changed = client.exchanges(created.stderr);
    if (changed !== undefined) expect(changed).toBeGreaterThan(1);
    expect((await run(client, restless, ['info', name, '--json'])).stdout).toContain(user.fingerprint);
  });

  if (client.changesKeys) {
    it('loses nothing while the client changes keys', async () => {
      const { exchanges, code } = await fullTerminal(client, quiet, { rekeyBytes: 65_536 });
      expect(code).toBe(0);
      expect(exchanges).toBeGreaterThan(5);
    }, 240_000);

    // rekey.test.ts tests this for all clients, without a terminal.
    if (!client.isLibrary) {
      it('loses nothing while both sides change keys', async () => {
        const { code } = await fullTerminal(client, restless, { rekeyBytes: 65_536 });
        expect(code).toBe(0);
      }, 240_000);
    }
  }
});

describe('OpenSSH 10', () => {
  it('uses the post-quantum key exchange and prints no warning', async () => {
    const ten = all.find(({ name }) => name === 'OpenSSH 10');
    if (ten === undefined) throw new Error('there is none');
    const verbose = await run(ten, quiet, ['whoami'], { verbose: true });
    expect(verbose.stderr).toMatch(/kex: algorithm: mlkem768x25519-sha256\r?\n/);
    const plain = await run(ten, quiet, ['whoami', '--json']);
    expect(plain.stderr).toBe('');
  });
});

describe('paramiko', () => {
  it('uses the post-quantum key exchange', async () => {
    const client = all.find(({ name }) => name === 'paramiko');
    if (client === undefined) throw new Error('there is none');
    expect((await run(client, quiet, ['whoami'], { verbose: true })).stderr).toMatch(/Kex: mlkem768x25519-sha256\n/);
  });
});

it('ssh-keyscan prints the host key', async () => {
  expect(await keyscan(quiet)).toBe(await publicHostKey(quiet));
});
