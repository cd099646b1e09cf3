/** Simulates `journalctl` as in systemd 252, with one entry that is not sshd's, and no message of the kernel. */
import { printed, refused, type SimulatedProgram } from '../program/answer.ts';

export const journalctl: SimulatedProgram = {
  changes: () => false,
  isLong: () => false,
  run: ({ nowMs }, { args }) => {
    // Nothing matches --grep.
    if (args.includes('--dmesg')) return refused(1, '');
    const started = {
      __CURSOR: 's=simulated;i=0',
      __REALTIME_TIMESTAMP: String(nowMs * 1000),
      _PID: '1',
      _UID: '0',
      _COMM: 'systemd-journal',
      SYSLOG_IDENTIFIER: 'systemd-journald',
      MESSAGE: 'Journal started',
    };
    return printed(`${JSON.stringify(started)}\n`);
  },
};
