/** Simulates what carries messages out of the host: sendmail(8) and logger(1). They are kept in the state. */
import { done, refused, type SimulatedProgram } from '../program/answer.ts';

/** Number of messages that are kept, the newest ones. */
const maxKept = 100;

export const sendmail: SimulatedProgram = {
  changes: () => true,
  isLong: () => false,
  run({ state }, { args, input }) {
    if (!args.includes('-t')) return refused(64, 'sendmail: usage: sendmail [options]');
    if (!/^To: \S/m.test(input)) return refused(65, 'sendmail: No recipient addresses found in header');
    state.mails = [...state.mails, input].slice(-maxKept);
    return done();
  },
};

export const logger: SimulatedProgram = {
  changes: () => true,
  isLong: () => false,
  run({ state }, { args }) {
    const at = args.indexOf('--');
    if (at < 0) return refused(1, 'logger: bad usage');
    state.syslog = [...state.syslog, args.slice(at + 1).join(' ')].slice(-maxKept);
    return done();
  },
};
