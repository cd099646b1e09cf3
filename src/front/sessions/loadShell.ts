import { lazily } from '../../domain/lazily.ts';

/**
 * Loads the shell with Ink and React, at the first shell. In three parts, because the keys of everybody else wait while
 * one is loaded.
 */
export const loadShell = lazily(async () => {
  await import('react');
  await import('ink');
  return import('../../shell/shell.ts');
});
