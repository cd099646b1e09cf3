/** The check of `doctor` for the record of connections, on a host with the container of alice. */
import { expect, it } from 'vitest';
import { Failure } from '../../../../src/domain/failure.ts';
import { checkConnections } from '../../../../src/service/checks/connectionsCheck.ts';
import type { Outcome } from '../../../../src/service/checks/outcome.ts';
import { createContainer } from '../../../../src/service/create.ts';
import { alice, callBy, hosts } from '../../../support/world/hosts.ts';
import { newKey } from '../../../support/world/keys.ts';

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

const recordedSince = '2026-11-01T00:00:00.000Z';
const well = () => ({ recordedSince, trouble: null });
const missing = (): never => {
  throw new Failure('program-missing', { what: 'the connections', why: 'no journal', next: 'look elsewhere' });
};

async function check(coverage: typeof well | typeof missing, level: string): Promise<Outcome> {
  const { context } = await host();
  const asked: string[] = [];
  const sshd = {
    settingsFor: (user: string) => {
      asked.push(user);
      return Promise.resolve(new Map([['loglevel', level]]));
    },
  };
  const real = { ...context, host: { ...context.host, simulated: false }, connections: { coverage } };
  const outcome = await checkConnections(real, { sshd: sshd as never }, new AbortController().signal);
  expect(asked.every((user) => user === 'alice')).toBe(true);
  return outcome;
}

it.each(['INFO', 'VERBOSE', 'DEBUG3'])('passes if the log is read and sshd logs logins, at %s', async (level) => {
  expect(await check(well, level)).toEqual({ severity: 'ok', detail: `recorded since ${recordedSince}`, next: null });
});

it.each(['QUIET', 'FATAL', 'ERROR'])('warns if sshd logs no logins, at %s', async (level) => {
  expect(await check(well, level)).toMatchObject({
    severity: 'warning',
    detail: expect.stringContaining(`its LogLevel is ${level}`) as unknown,
    next: 'set LogLevel to INFO or VERBOSE',
  });
});

it('warns if the log cannot be read at present, or is not there', async () => {
  const trouble = '"journalctl": it was killed';
  expect(await check(() => ({ recordedSince, trouble }) as never, 'INFO')).toMatchObject({
    severity: 'warning',
    detail: `not recorded at present: ${trouble}`,
  });
  expect(await check(missing, 'INFO')).toEqual({
    severity: 'warning',
    detail: 'not recorded: no journal',
    next: 'look elsewhere',
  });
});
