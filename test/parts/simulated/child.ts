/** A process for the kill tests: makes groups on a simulated host and prints the name of each new group. */
import { Accounts } from '../../../src/host/accounts.ts';
import { SimulatedHost } from '../../../src/simulated/host.ts';

const [statePath = '', faultsPath = '', ...groups] = process.argv.slice(2);
const host = SimulatedHost.open(statePath, faultsPath === '' ? {} : { faultsPath });
const accounts = new Accounts(host.runner);

for (const group of groups) {
  await accounts.ensureGroup(group);
  process.stdout.write(`${group}\n`);
}
