/** Simulates ip-link(8) as far as the firewall uses it: one option of a bridge. */
import { done, printed, refused } from '../program/answer.ts';
import type { SimulatedProgram } from '../program/answer.ts';

export const ip: SimulatedProgram = {
  changes: (args) => args[1] === 'set',
  isLong: () => false,
  run({ state }, { args }) {
    const name = args[args.indexOf('dev') + 1] ?? '';
    const network = state.networks.find((candidate) => candidate.name === name && candidate.type === 'bridge');
    if (network === undefined) return refused(1, `Device "${name}" does not exist.`);
    if (args[1] === 'set') {
      network.noLinkLocalLearn = true;
      return done();
    }
    const info_data = { no_linklocal_learn: network.noLinkLocalLearn === true ? 1 : 0 };
    return printed(`${JSON.stringify([{ ifname: name, linkinfo: { info_kind: 'bridge', info_data } }])}\n`);
  },
};
