/** Names that every object answers to, in each place where a name from outside is looked up. */
import { describe, expect, it } from 'vitest';
import { remoteHosts } from '../../../src/client/servers.ts';
import { completionScript } from '../../../src/commandLine/completionScripts.ts';
import { own } from '../../../src/domain/own.ts';
import { selects } from '../../../src/domain/results/selection.ts';
import { removeLabels } from '../../../src/service/labels.ts';
import { builtinOf } from '../../../src/catalogue/builtins.ts';
import { parseFilter } from '../../../src/shell/views/model/filter.ts';
import { alice, callBy, hosts } from '../../support/world/hosts.ts';
import { newKey } from '../../support/world/keys.ts';
import { createContainer } from '../../../src/service/create.ts';

const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__'] as const;

const host = hosts(async (world) => {
  await world.must('image build');
  await createContainer(world.context, { user: alice, keys: [newKey('alice@desk')] }, callBy());
});

describe.each(inherited)('the name %s', (name) => {
  it('names nothing that is not there', () => {
    expect(own({ team: 'blue' }, name)).toBeUndefined();
    expect(own(JSON.parse(`{"${name}": "x"}`) as Record<string, string>, name)).toBe('x');
  });

  it('is no label of a container without labels, in list and in the filter of the live list', () => {
    const container = { user: 'alice', status: 'running', labels: {} } as const;
    expect(selects({ labels: [{ key: name }] }, container)).toBe(false);
    expect(selects({ labels: [{ key: name, value: 'x' }] }, container)).toBe(false);
    const row = { text: '', labels: {} };
    expect(parseFilter(`label:${name}=x`)(row)).toBe(false);
    expect(parseFilter(`label:${name}`)(row)).toBe(false);
  });

  it('is no server of the command line', async () => {
    const on = { on: name, words: [] };
    await expect(remoteHosts(on, { XDG_CONFIG_HOME: '/nonexistent' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is no command of the shell, and no shell with completion', () => {
    expect(builtinOf(name)).toBeUndefined();
    expect(() => completionScript(name)).toThrow(/there is none/);
  });
});

describe('constructor, which is a valid label and a valid user name', () => {
  it('is not removed as a label where it is none, and can be one', async () => {
    const world = await host();
    const remove = () => removeLabels(world.context, { user: alice, keys: ['constructor'] }, callBy());
    expect(await remove()).toMatchObject({ changed: false, operation: null });
    await world.must('label set', { user: 'alice', labels: ['constructor=x'] });
    expect(await remove()).toMatchObject({ changed: true, labels: {} });
  });

  it('is a user like any other', async () => {
    const world = await host();
    const user = 'constructor';
    await world.must('create', { user, keys: newKey('c@desk').line });
    expect(await world.must('key list', { user })).toMatchObject({ keys: [{ comment: 'c@desk' }] });
    expect(await world.must('reconcile')).toMatchObject({ differences: [] });
    await world.must('delete', { user, yes: true });
    await world.must('trash restore', { user });
    expect(await world.must('info', { user })).toMatchObject({ container: { user } });
  });
});
