/**
 * What the kernel's log says about containers that reached their memory limit (journalctl(1)). A control group counts
 * its kills too, but it is gone as soon as the container stops.
 */
import type { Runner } from './runner.ts';

export interface OomKill {
  readonly at: Date;
  /** Whether the victim was the container's init, with which the container stops. */
  readonly init: boolean;
}

/** The last kill by instance since the host booted. */
export type OomKills = ReadonlyMap<string, OomKill>;

/** How long an answer is used again, in milliseconds: scripts ask often. A log that cannot be read is left alone. */
const keptMs = 10_000;
const unreadableMs = 5 * 60_000;
/** How old an answer may be in a list, which does not wait for the next one, in milliseconds. */
const listedMs = 60_000;
/** The time limit in milliseconds, within which callers wait for it. */
const timeoutMs = 1500;

interface Answer {
  readonly atMs: number;
  untilMs: number;
  readonly kills: Promise<OomKills | undefined>;
}

export class OomLog {
  readonly #runner: Runner;
  /** The newest answer, and the newest of those that have arrived. */
  #last: Answer | undefined;
  #arrived: Answer | undefined;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Resolves to undefined if the log cannot be read: no systemd, or not in time. */
  kills(): Promise<OomKills | undefined> {
    return this.#current().kills;
  }

  /** The same, up to a minute old while the log is read again: a list waits for it only if nobody has asked lately. */
  listedKills(): Promise<OomKills | undefined> {
    const { kills } = this.#current();
    const arrived = this.#arrived;
    return arrived !== undefined && performance.now() - arrived.atMs < listedMs ? arrived.kills : kills;
  }

  #current(): Answer {
    const atMs = performance.now();
    if (this.#last !== undefined && atMs < this.#last.untilMs) return this.#last;
    const kills = this.#read();
    const answer: Answer = { atMs, untilMs: atMs + keptMs, kills };
    this.#last = answer;
    void kills.then((found) => {
      this.#arrived = answer;
      if (found === undefined) answer.untilMs = atMs + unreadableMs;
    });
    return answer;
  }

  async #read(): Promise<OomKills | undefined> {
    try {
      const { stdout } = await this.#runner.run({
        program: 'journalctl',
        args: ['--dmesg', '--quiet', '--no-pager', '--output=short-unix', '--lines=2000', `--grep=${grepped}`],
        timeoutMs,
        // Exit code 1 without output means that nothing was found.
        allowExit: [0, 1],
      });
      return parseOomKills(stdout);
    } catch {
      return undefined;
    }
  }
}

const grepped = 'oom-kill:constraint=CONSTRAINT_MEMCG,.*oom_memcg=/lxc\\.payload\\.';

/**
 * Matches a line of mm/oom_kill.c. The container chooses the names of its own control groups and processes, which
 * therefore follow what is matched; only the name of its cpuset comes before.
 */
const line =
  /^(\d+\.\d+) \S+ kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=[^=]*,cpuset=[^=]*,mems_allowed=[^=]*,oom_memcg=\/lxc\.payload\.([A-Za-z0-9-]{1,63})(?:\/[^,]*)?,task_memcg=\/lxc\.payload\.([A-Za-z0-9-]{1,63})(\/[^,]*)?,task=/;

/** Parses the lines in any order: with `--grep` and `--lines`, journalctl prints the newest first. */
export function parseOomKills(text: string): OomKills {
  const kills = text.split('\n').flatMap((each) => {
    const [, seconds, name, victim, group] = line.exec(each) ?? [];
    // A container's own limits kill only within it.
    if (seconds === undefined || name === undefined || victim !== name) return [];
    return [{ name, at: new Date(Number(seconds) * 1000), init: group === '/init.scope' }];
  });
  const found = new Map<string, OomKill>();
  for (const { name, ...kill } of kills.sort((a, b) => a.at.getTime() - b.at.getTime())) {
    // One lack of memory often kills several processes; the container's init decides.
    const before = found.get(name);
    const isSameEvent = before?.init === true && kill.at.getTime() - before.at.getTime() < 5000;
    if (!isSameEvent) found.set(name, kill);
  }
  return found;
}
