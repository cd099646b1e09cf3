/** The places of one admin count over ssh and the remote interface together. */
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { rawHttp2, type RawHttp2 } from '../support/remote/http2.ts';
import { startRemoteServer } from '../support/remote/server.ts';

test('an admin has 256 logins; the next client is told why, over both, and is not penalised', async () => {
  const house = await startRemoteServer({ config: { remote: { maxConnectionsPerSource: 1000 } } });
  const clients: RawHttp2[] = [];
  while (clients.length < 256) {
    const some = Array.from({ length: 16 }, () => rawHttp2(house.port, house.certificates));
    clients.push(...(await Promise.all(some)));
  }
  const refused = {
    code: 5,
    stderr: expect.stringMatching(
      /you have 256 logins open[^]*close some of your connections, and log in again/,
    ) as string,
  };
  for (let i = 0; i < 10; i++) expect(await house.remote(['list'])).toMatchObject(refused);
  expect(await house.server.ssh(['list'])).toMatchObject(refused);
  for (const { socket } of clients) socket.destroy();
  await eventually(async () => ((await house.server.ssh(['list'])).code === 0 ? true : undefined), 'a place');
  expect(await house.remote(['list'])).toMatchObject({ code: 0 });
  const { stdout } = await house.server.local(['ban', 'list', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ result: { bans: [] } });
});
