/** Admins with other roles than the first start makes: written into the server's state before it starts. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestKey } from './keys.ts';

export interface TestAdmin {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly keys: readonly TestKey[];
}

/** For {@link startServer}'s `prepare`. The server then makes no admin key of its own. */
export function withAdmins(admins: readonly TestAdmin[]): (home: string) => Promise<void> {
  return async (home) => {
    const state = join(home, 'state');
    await mkdir(state, { mode: 0o700 });
    const stored = admins.map(({ keys, ...admin }) => ({
      ...admin,
      keys: keys.map(({ line }) => ({ line: line.trim(), addedAt: '2026-01-01T00:00:00.000Z', addedBy: 'test' })),
    }));
    await writeFile(join(state, 'admins.json'), JSON.stringify({ admins: stored }), { mode: 0o600 });
  };
}
