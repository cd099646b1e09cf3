/** The remote process: serves the remote interface to its clients, and speaks the protocol with core. */
import { Refusals } from '../admission/refusals.ts';
import { loadFormat } from '../catalogue/loadFormat.ts';
import { loadTextWidth } from '../catalogue/output/textWidth.ts';
import { inTurns } from '../protocol/callTurns.ts';
import { coreClient } from '../protocol/client.ts';
import { notify } from '../protocol/connection.ts';
import { loginClient } from '../protocol/loginClient.ts';
import { greetingOf, messages, remoteStart, renewedTls } from '../protocol/messages.ts';
import { flushed, followBans, servingProcess } from '../protocol/servingProcess.ts';
import { candidatesClient } from '../protocol/shellClient.ts';
import { RemoteServer } from './server.ts';

const serving = await servingProcess(() => Promise.all([loadFormat('yaml'), loadFormat('csv'), loadTextWidth()]));
const { core } = serving;
const refusals = new Refusals({ send: (report) => notify(core, messages.refusals, report) });
let server: RemoteServer | undefined;

core.onNotification(messages.renewed, (raw) => {
  const parsed = renewedTls.safeParse(raw);
  if (parsed.success) server?.renew(parsed.data);
});
followBans(core, () => server);
core.onNotification(messages.drain, () => {
  void (server?.drain() ?? Promise.resolve()).finally(async () => {
    refusals.flush();
    await flushed(core);
    process.exit(0);
  });
});

serving.begin();
try {
  const start = remoteStart.parse(await core.sendRequest(messages.remoteStart));
  server = new RemoteServer({
    start,
    core: inTurns(coreClient(core, greetingOf(start))),
    logins: loginClient(core),
    candidates: candidatesClient(core),
    refusals,
    onPenalty: (begun) => notify(core, messages.penalised, begun),
  });
  await server.listen(serving.listener);
  await serving.listening();
} catch (error) {
  await serving.fail(error);
}
