import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { isInPlace, startRelease, type ServiceMachine } from '../../../src/install/program/replacement.ts';

const release = { folder: '/unpacked', version: '0.6.0', id: 'f'.repeat(64) };
const name = `0.6.0-${'f'.repeat(12)}`;
const unhealthy = new Failure('unhealthy', { what: 'version 0.6.0 of the service', why: 'it does not answer' });

/** A machine that runs `before`, and on which the given actions fail. */
function machineWith(
  before: string | undefined,
  failing: Partial<Record<string, Failure>> = {},
  state: { readonly wayBack?: string; readonly isHealthy?: boolean; readonly hasFiles?: boolean } = {},
) {
  const did: string[] = [];
  let inUse = before;
  let { wayBack } = state;
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
    isHealthy: (version) => Promise.resolve(version === release.version && state.isHealthy !== false),
    hasFilesOf: () => Promise.resolve(state.hasFiles !== false),
    wayBack: () => Promise.resolve(wayBack),
    setWayBack: (former) => {
      wayBack = former;
      return Promise.resolve();
    },
    prune: (kept) => act(`prune all but ${kept.join(', ')}`),
  };
  const said: string[] = [];
  const start = (): Promise<unknown> =>
    startRelease(release, (line) => void said.push(line), machine).catch((error: unknown) => error);
  return { start, did, said, machine, inUse: () => inUse, wayBack: () => wayBack };
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

  it('leaves the release before it on the disk when it is installed again', async () => {
    const { start, did } = machineWith('new');
    expect(await start()).toBeUndefined();
    expect(did.join()).not.toContain('prune');
  });
});

describe('a replacement that was cut before the new release was found to work', () => {
  it('remembers the release before from the first change until the new one works', async () => {
    const seen: (string | undefined)[] = [];
    const { start, machine, wayBack } = machineWith('old');
    for (const step of ['use', 'restart', 'requireHealthy'] as const) {
      const act = machine[step];
      machine[step] = (text: string = '') => {
        seen.push(wayBack());
        return act(text);
      };
    }
    expect(await start()).toBeUndefined();
    expect(seen).toEqual(['old', 'old', 'old']);
    expect(wayBack()).toBeUndefined();
  });

  it('goes on when it is repeated, and keeps the release before', async () => {
    const { start, did, wayBack } = machineWith('new', {}, { wayBack: 'old' });
    expect(await start()).toBeUndefined();
    expect(did).toEqual(['place', 'use new', 'restart', 'healthy 0.6.0', 'prune all but new, old']);
    expect(wayBack()).toBeUndefined();
  });

  it.each(['new', 'unproved'])('still goes back to the last release that worked, with "%s" in use', async (inUse) => {
    const { start, did, wayBack } = machineWith(inUse, { 'healthy 0.6.0': unhealthy }, { wayBack: 'old' });
    expect(await start()).toMatchObject({ code: 'unhealthy', why: 'it does not answer; version 0.5.0 runs again' });
    expect(did.slice(-3)).toEqual(['use old', 'restart', 'healthy 0.5.0']);
    expect(wayBack()).toBeUndefined();
  });

  it('remembers the release before if that did not start either', async () => {
    const failing = { 'healthy 0.6.0': unhealthy, 'healthy 0.5.0': unhealthy };
    const { start, wayBack } = machineWith('old', failing);
    expect(await start()).toMatchObject({ code: 'partial' });
    expect(wayBack()).toBe('old');
  });

  it('is not in place', async () => {
    const isPlaced = (inUse: string, state: Parameters<typeof machineWith>[2]): Promise<boolean> =>
      isInPlace(release, machineWith(inUse, {}, state).machine);
    expect(await isPlaced(name, {})).toBe(true);
    expect(await isPlaced('old', {})).toBe(false);
    expect(await isPlaced(name, { wayBack: 'old' })).toBe(false);
    expect(await isPlaced(name, { isHealthy: false })).toBe(false);
    expect(await isPlaced(name, { hasFiles: false })).toBe(false);
  });
});
