/**
 * The admins of `bench:fairness` whom another one notices, in a process of their own, because the time that their side
 * takes is not the server's: `node load.ts PORT COMMANDS KEY…`. After the logins, and for each line on standard input
 * when every admin has had all answers, it prints a line.
 */
import { createInterface } from 'node:readline';
import type { Client } from 'ssh2';
import { connect, run } from '../list/connection.ts';

/** What each of them runs, in turns. */
const mix = ['list', 'whoami'];

const [port, commands, ...keys] = process.argv.slice(2);
const clients: Client[] = [];
// The server admits few logins at a time from one address.
for (const key of keys) clients.push(await connect(Number(port), key));
// Code that runs for the first time is slow.
for (const client of clients) for (const command of mix) await run(client, command);
console.log('ready');
for await (const _ of createInterface({ input: process.stdin })) {
  await Promise.all(
    clients.map(async (client) => {
      for (let command = 0; command < Number(commands); command++) await run(client, mix[command % mix.length] ?? '');
    }),
  );
  console.log('answered');
}
process.exit(0);
