import { expect, test } from 'vitest';
import { devices, fixture, prepareImage, type Fixture } from '../support.ts';

/** Makes an image with a template that is written at a creation. */
async function imageWithTemplate(made: Fixture): Promise<void> {
  const { incus } = made;
  await prepareImage(made, 'plain');
  await incus.create('source', 'plain', { config: {}, devices: devices() });
  const content = 'said: {{ config_get("user.word", "nothing") }}\n';
  await incus.addTemplate('source', { name: 'word.tpl', path: '/etc/word', when: ['create'], content });
  await incus.publish('source', 'templated', {});
}

test('an instance of an image gets its templates at its first start, with values of its configuration', async () => {
  const made = fixture();
  await imageWithTemplate(made);
  const configs: Record<string, Record<string, string>> = { a: { 'user.word': 'yes' }, b: {} };
  for (const [name, config] of Object.entries(configs)) {
    await made.incus.create(name, 'templated', { config, devices: devices() });
    expect(await made.incus.pullFile(name, '/etc/word')).toBeUndefined();
    await made.incus.start(name);
  }
  expect(await made.incus.pullFile('a', '/etc/word')).toBe('said: yes\n');
  expect(await made.incus.pullFile('b', '/etc/word')).toBe('said: nothing\n');
});

test('a later start writes no template of a creation', async () => {
  const made = fixture();
  const { incus } = made;
  await imageWithTemplate(made);
  await incus.create('a', 'templated', { config: { 'user.word': 'yes' }, devices: devices() });
  await incus.start('a');
  await incus.pushFile({ instance: 'a', path: '/etc/word', content: 'mine\n', mode: '0644' });
  await incus.restart('a', { force: true });
  expect(await incus.pullFile('a', '/etc/word')).toBe('mine\n');
});
