/** The front process: serves SSH to its clients, and speaks the protocol with core. */
import { loadFormat } from '../catalogue/loadFormat.ts';
import { loadTextWidth } from '../catalogue/output/textWidth.ts';
import { inTurns } from '../protocol/callTurns.ts';
import { coreClient } from '../protocol/client.ts';
import { notify } from '../protocol/connection.ts';
import { loginClient } from '../protocol/loginClient.ts';
import { directory, frontStart, greetingOf, messages } from '../protocol/messages.ts';
import { flushed, followBans, servingProcess } from '../protocol/servingProcess.ts';
import { shellClient } from '../protocol/shellClient.ts';
import { requirePatches } from './transport/requirePatches.ts';
import { loadShell } from './sessions/loadShell.ts';
import { Refusals } from '../admission/refusals.ts';
import { SshServer } from './server.ts';

// Checked while the files are still readable; reported once core listens.
const unpatched = patchFault();
const serving = await servingProcess(() =>
  Promise.all([loadShell(), loadFormat('yaml'), loadFormat('csv'), loadTextWidth()]),
);
const { core } = serving;
const refusals = new Refusals({ send: (report) => notify(core, messages.refusals, report) });
let server: SshServer | undefined;

core.onNotification(messages.directory, (raw) => {
  const parsed = directory.safeParse(raw);
  if (parsed.success) server?.allow(parsed.data);
});
followBans(core, () => server);
core.onNotification(messages.drain, ({ reason }) => {
  void (server?.drain(reason) ?? Promise.resolve()).finally(async () => {
    refusals.flush();
    await flushed(core);
    process.exit(0);
  });
});

function patchFault(): Error | undefined {
  try {
    requirePatches();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

// Ink adds listeners to the process for each shell.
process.setMaxListeners(0);

serving.begin();
try {
  if (unpatched !== undefined) throw unpatched;
  const start = frontStart.parse(await core.sendRequest(messages.frontStart));
  const client = inTurns(coreClient(core, greetingOf(start)));
  server = new SshServer(
    { start, core: client, shells: shellClient(core), logins: loginClient(core), refusals },
    { onPenalty: (begun) => notify(core, messages.penalised, begun) },
  );
  server.allow(start.directory);
  await server.listen(serving.listener);
  await serving.listening();
} catch (error) {
  await serving.fail(error);
}
