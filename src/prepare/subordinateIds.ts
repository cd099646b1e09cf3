/** Gives root subordinate ids for the containers: see `src/host/subordinateIds.ts`. */
import { idChange, preparedContainers, readSubordinateIds, usermodArguments } from '../host/subordinateIds.ts';
import { hasSystemd, incusDir, socketAnswers } from './daemon.ts';
import { run } from './programs.ts';

/** Returns the ids of the accounts and groups of this machine. */
async function usedIds(): Promise<number[]> {
  const lists = await Promise.all(['passwd', 'group'].map((database) => run('getent', [database])));
  return lists
    .flatMap(({ stdout }) => stdout.split('\n').map((line) => Number(line.split(':')[2])))
    .filter(Number.isInteger);
}

/**
 * Adds the ids, or enlarges the range that root has. Incus reads them when it starts, so a running daemon is restarted;
 * its containers go on running meanwhile (`KillMode=process` of incus.service).
 */
export async function prepareSubordinateIds(say: (line: string) => void): Promise<void> {
  const change = idChange(await readSubordinateIds(), await usedIds());
  if (change === undefined) return;
  if (change === null) {
    say(
      `The subordinate ids of root do not suffice for ${preparedContainers} containers, and cannot be enlarged: see "doctor"`,
    );
    return;
  }
  const { first, count } = change.add;
  say(`Giving root the subordinate ids ${first} to ${first + count - 1} for containers (/etc/subuid, /etc/subgid)`);
  await run('usermod', usermodArguments(change));
  if (!(await socketAnswers(`${incusDir()}/unix.socket`))) return;
  if (await hasSystemd()) {
    say('Restarting the Incus daemon, which reads them when it starts; containers go on running');
    await run('systemctl', ['try-restart', 'incus.service'], { timeoutMs: 10 * 60_000 });
  } else say('Restart the Incus daemon: it reads them when it starts');
}
