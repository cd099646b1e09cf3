import { eventually } from '../../support/eventually.ts';
import type { RunningIncus } from './incus.ts';

const end = 'end of output\n';

/**
 * Runs a program in an instance and returns its output. Incus may lose the output of a short one on a busy host, so its
 * end is marked, and the program runs again if the mark is missing.
 */
export function outputOf(
  { incus }: Pick<RunningIncus, 'incus'>,
  instance: string,
  args: readonly string[],
): Promise<string> {
  const script = `"$@"; code=$?; printf '${end.trim()}\\n'; exit $code`;
  return eventually(
    async () => {
      const output = await incus(['exec', instance, '--', 'sh', '-c', script, 'sh', ...args]);
      return output.endsWith(end) ? output.slice(0, -end.length) : undefined;
    },
    `the output of ${args.join(' ')}`,
  );
}
