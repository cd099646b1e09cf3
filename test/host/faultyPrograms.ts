/**
 * Programs that fail on demand, for a real host: a folder that comes first for the server (support/programs.ts), with a
 * script for each host program. The script passes everything on to the real program, counts the commands that change
 * something, and injects a fault into the chosen one. The product does not know: this is the process boundary itself.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstFolder } from '../support/programs.ts';

export const modes = ['fail-before', 'fail-after', 'hang', 'kill-before', 'kill-after'] as const;
export type Mode = (typeof modes)[number];

const programs = ['incus', 'useradd', 'userdel', 'groupadd', 'pkill'];

/**
 * Standard input must reach the real program untouched, and the script must be cheap: plain sh, without helper programs
 * in the usual case.
 */
const script = `#!/bin/sh
dir=@DIR@
me=\${0##*/}
PATH=\${PATH#${firstFolder}:}
export PATH
# The socket of the streams may be one that fails (faultySocket.ts).
unset INCUS_SOCKET
case "$me $1 $2" in
  "incus create "*|"incus start "*|"incus stop "*|"incus restart "*|"incus delete "*|"incus file push"|"incus query --request"|"incus publish "*|"incus rename "*|"incus snapshot "*|"incus copy "*|"incus config template") ;;
  incus*) exec "$me" "$@" ;;
esac
[ -e "$dir/armed" ] || exec "$me" "$@"
n=$(($(cat "$dir/count" 2>/dev/null || echo 0) + 1))
echo "$n" > "$dir/count"
read -r at mode < "$dir/armed"
[ "$n" = "$at" ] || exec "$me" "$@"
rm -f "$dir/armed"
core=$(cat "$dir/core.pid")
case "$mode" in
  fail-before) echo "Error: injected" >&2; exit 1 ;;
  fail-after) "$me" "$@" || exit; echo "Error: injected" >&2; exit 1 ;;
  hang) exec sleep 600 ;;
  kill-before) kill -KILL "$core"; exec sleep 600 ;;
  kill-after) "$me" "$@"; kill -KILL "$core"; exec sleep 600 ;;
esac
`;

export class FaultyPrograms {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(folder: string): Promise<FaultyPrograms> {
    await mkdir(folder, { recursive: true });
    for (const program of programs) {
      const path = join(folder, program);
      await writeFile(path, script.replace('@DIR@', `'${folder}'`));
      await chmod(path, 0o755);
    }
    return new FaultyPrograms(folder);
  }

  /** Starts counting, and injects `mode` into the `at`-th changing command (0: into none). */
  async arm(corePid: number, at: number, mode: Mode): Promise<void> {
    await rm(join(this.folder, 'count'), { force: true });
    await writeFile(join(this.folder, 'core.pid'), String(corePid));
    await writeFile(join(this.folder, 'armed'), `${at} ${mode}\n`);
  }

  /** Stops counting; returns the number of changing commands, and whether the fault occurred. */
  async disarm(): Promise<{ count: number; met: boolean }> {
    const met = await readFile(join(this.folder, 'armed'), 'utf8').then(
      () => false,
      () => true,
    );
    const count = Number(await readFile(join(this.folder, 'count'), 'utf8').catch(() => '0'));
    await rm(join(this.folder, 'armed'), { force: true });
    return { count, met };
  }
}
