import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { startRelease, type ServiceMachine } from '../../../src/install/program/replacement.ts';

const release = { folder: '/unpacked', version: '0.6.0', id: 'f'.repeat(64) };
const unhealthy = new Failure('unhealthy', { what: 'version 0.6.0 of the service', why: 'it does not answer' });

/** A machine that runs `before`, and on which the given actions fail. */
function machineWith(before: string | undefined, failing: Partial<Record<string, Failure>> = {}) {
  const did: string[] = [];
  let inUse = before;
  const act = (action: string): Promise<void> => {
    did.push(action);
    return failing[action] === undefined ? Promise.resolve() : Promise.reject(failing[action]);
  };
  const machine: ServiceMachine = {
    place: () => act('place').then(() => 'new'),
    inUse: () => Promise.resolve(inUse),
    use: (name) => {
      inUse = name;
      return act(`use ${name}`);
    },
    versionOf: () => Promise.resolve('0.5.0'),
    restart: () => act('restart'),
    requireHealthy: (version) => act(`healthy ${version}`),
    prune: (kept) => act(`prune all but ${kept.join(', ')}`),
  };
  const said: string[] = [];
  const start = (): Promise<unknown> =>
    startRelease(release, (line) => void said.push(line), machine).catch((error: unknown) => error);
  return { start, did, said, inUse: () => inUse };
}

describe('a release that takes the place of another', () => {
  it('keeps the one before for the next time', async () => {
    const { start, did, said } = machineWith('old');
    expect(await start()).toBeUndefined();
    expect(did).toEqual(['place', 'use new', 'restart', 'healthy 0.6.0', 'prune all but new, old']);
    expect(said).toEqual(['Restarting the service with version 0.6.0: running operations end first']);
  });

  it.each(['use new', 'healthy 0.6.0'])('goes back if it fails at "%s"', async (step) => {
    const { start, did, inUse } = machineWith('old', { [step]: unhealthy });
    expect(await start()).toMatchObject({
      code: 'unhealthy',
      why: 'it does not answer; version 0.5.0 runs again',
    });
    expect(inUse()).toBe('old');
    expect(did.slice(-3)).toEqual(['use old', 'restart', 'healthy 0.5.0']);
    expect(did.join()).not.toContain('prune');
  });

  it('says so if the one before does not start either', async () => {
    const other = new Failure('unhealthy', { what: 'x', why: 'port 2222: connection refused' });
    const { start } = machineWith('old', { 'healthy 0.6.0': unhealthy, 'healthy 0.5.0': other });
    expect(await start()).toMatchObject({
      code: 'partial',
      why: 'it does not answer, and the version before does not start either: port 2222: connection refused',
    });
  });

  it('has nothing to go back to at the first installation', async () => {
    const { start, did, said } = machineWith(undefined, { 'healthy 0.6.0': unhealthy });
    expect(await start()).toBe(unhealthy);
    expect(did).toEqual(['place', 'use new', 'restart', 'healthy 0.6.0']);
    expect(said).toEqual(['Starting version 0.6.0']);
  });

  it('is not its own predecessor when it is installed again', async () => {
    const { start, did } = machineWith('new', { 'healthy 0.6.0': unhealthy });
    expect(await start()).toBe(unhealthy);
    expect(did.filter((action) => action.startsWith('use'))).toEqual(['use new']);
  });
});
