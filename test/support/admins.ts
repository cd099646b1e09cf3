/** Admins with other roles than the one that the first start makes. They are written to the state before the start. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestKey } from './keys.ts';

export interface TestAdmin {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly keys: readonly TestKey[];
}

/** Returns a `prepare` function for {@link startServer}. The server then makes no admin key of its own. */
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
