import type { openShell } from '../../shell/shell.ts';

/**
 * Loads the shell with Ink and React, at the first shell. In three parts, because the keys of everybody else wait while
 * one is loaded. What is loaded already costs nothing; after a failure the next shell tries again.
 */
export async function loadShell(): Promise<{ readonly openShell: typeof openShell }> {
  await import('react');
  await import('ink');
  return import('../../shell/shell.ts');
}
