/** The front process of a server under test (proc(5)), and the admin that the server made at its first start. */
import { readFile } from 'node:fs/promises';
import type { TestKey } from './keys.ts';
import type { TestServer } from './server.ts';

/** Returns the process ID of the front, which is core's only child. */
export async function frontOf(server: TestServer): Promise<number> {
  return Number((await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')).trim().split(' ')[0]);
}

export async function adminOf(server: TestServer): Promise<TestKey> {
  const line = await readFile(`${server.adminKey}.pub`, 'utf8');
  const [type = '', base64 = ''] = line.split(' ');
  return {
    path: server.adminKey,
    line,
    type,
    blob: Buffer.from(base64, 'base64'),
    fingerprint: '',
    private: await readFile(server.adminKey, 'utf8'),
  };
}

let next = 0;

/** Returns a new address of the loopback network with each call, so that limits per source do not apply. */
export function anySource(): string {
  next++;
  return `127.${1 + ((next >> 16) % 250)}.${(next >> 8) % 256}.${1 + (next % 250)}`;
}
