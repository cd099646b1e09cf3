/** Simulates `ssh-keyscan` for the ed25519 host keys of simulated containers. */
import { printed, refused } from '../program/answer.ts';
import type { SimulatedProgram } from '../program/answer.ts';
import { parseFlags } from '../program/flags.ts';

export const keyscan: SimulatedProgram = {
  changes: () => false,
  isLong: () => false,
  run: ({ state }, { args }) => {
    const parsed = parseFlags(args, { t: 'value', p: 'value', T: 'value' });
    const [address] = parsed.rest;
    if (address === undefined || parsed.unknown !== undefined) {
      return refused(1, 'usage: ssh-keyscan [-46cDHv] [-f file] [-p port] [-T timeout] [-t type] [host ...]');
    }
    const instance = Object.values(state.instances).find((candidate) => candidate.run?.address === address);
    const key = instance?.run?.isPaused === true ? null : (instance?.run?.hostKey ?? null);
    // Every failure to get a key ends with exit code 1 and no output (ssh-keyscan of OpenSSH 9.2, observed).
    if (key === null || (parsed.flags.get('p') ?? '22') !== '22' || parsed.flags.get('t') !== 'ed25519')
      return refused(1, '');
    return { ...printed(`${address} ${key}\n`), stderr: `# ${address}:22 SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\n` };
  },
};
