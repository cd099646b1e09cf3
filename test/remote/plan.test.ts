/** The plan of a call over the remote interface: with the command line, and with VerbService/Call. */
import { status } from '@grpc/grpc-js';
import { beforeAll, expect, test } from 'vitest';
import { makeKey } from '../support/keys.ts';
import { connectClient } from '../support/remote/client.ts';
import { startRemoteServer, type RemoteTestServer } from '../support/remote/server.ts';
import { temporaryFolder } from '../support/server.ts';

let house: RemoteTestServer;

beforeAll(async () => {
  house = await startRemoteServer();
  const key = await makeKey(await temporaryFolder(), 'alice');
  expect(await house.remote(['create', 'alice'], { stdin: key.line })).toMatchObject({ code: 0 });
});

interface Called {
  readonly code: number;
  readonly result: any;
}

/** Makes a call of VerbService/Call. */
async function called(verb: string, input: object, plan: boolean): Promise<Called> {
  const client = await connectClient(house.address, house.certificates, 'VerbService');
  try {
    const stream = client['Call']?.({ verb, input_json: JSON.stringify(input), plan });
    let result: unknown;
    stream.on('data', (event: any) => {
      if (event.result !== undefined) result = JSON.parse(event.result.result_json as string);
    });
    stream.on('error', () => undefined);
    const { code } = await new Promise<{ code: number }>((resolve) => void stream.on('status', resolve));
    return { code, result };
  } finally {
    client.close();
  }
}

test('the command line prints the plan, and asks nothing', async () => {
  const { code, stdout } = await house.remote(['delete', 'alice', '--purge', '--plan']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {3}incus delete alice-container --force --quiet\n {3}# cannot be undone$/m);
  expect(await house.remote(['info', 'alice'])).toMatchObject({ code: 0 });
});

test('VerbService/Call makes the plan if the request wants it, and nothing else', async () => {
  const { code, result } = await called('delete', { user: 'alice', purge: true }, true);
  expect(code).toBe(status.OK);
  expect(result).toMatchObject({ verb: 'delete', target: 'alice' });
  expect(result.steps.at(-1)).toMatchObject({ step: 'delete-instance', undo: null });
  expect(await house.remote(['info', 'alice'])).toMatchObject({ code: 0 });
  expect((await called('delete', { user: 'nobody' }, true)).code).toBe(status.NOT_FOUND);
  expect((await called('list', {}, true)).code).toBe(status.INVALID_ARGUMENT);
  // Without a plan the call needs to be confirmed.
  expect((await called('delete', { user: 'alice' }, false)).code).not.toBe(status.OK);
});

test('the plan of a change of who may come in is refused as the change is', async () => {
  const { code } = await called('admin remove', { admin: 'tester' }, true);
  expect(code).toBe(status.PERMISSION_DENIED);
});
