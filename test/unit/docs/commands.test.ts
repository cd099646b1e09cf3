import { describe, expect, it } from 'vitest';
import { wrongCommands } from './commands.ts';
import { codeIn, relativeLinks } from './markdown.ts';

const scripts = new Set(['start', 'test', 'lint', 'containarium']);
const reasons = (line: string): string[] => wrongCommands(line, scripts).map(({ why }) => why);

describe('the check of commands in documents', () => {
  it.each([
    'ssh -p 2222 manage@jump create alice < alice.pub',
    '$ ssh -p 2222 -i keys/admin_ed25519 manage@jump list --state running | grep alice',
    'ssh -p 2222 manage@jump create <user> [options] < key.pub',
    'ssh -p 2222 manage@jump create alice --ssh-key "$(cat alice.pub)" --cpu 2',
    'ssh -p 2222 manage@jump',
    'ssh -t -p 2222 manage@jump delete alice # asks for the name',
    'ssh … manage@jump list',
    'ssh -p 2222 manage@jump audit --verb \'"key add"\'',
    'for user in alice bob; do ssh -p 2222 manage@jump create $user < $user.pub; done',
    'ssh -p 2222 self@jump config > ~/.ssh/config.d/containarium && ssh alice-dev',
    'sudo containarium create bob --ssh-key ~/bob.pub',
    'sudo -E CONTAINARIUM_HOME=/srv/x containarium list',
    'containarium serve --config <file>',
    'containarium --version',
    'sudo ./install.sh --data-disk /dev/disk/by-id/scsi-0DISK_data --check',
    'sudo containarium upgrade containarium-0.6.0-linux-x64.tar.gz',
    'sudo npm start -- --real',
    'npm test -- unit ssh',
    'npm --silent run lint',
    'npm run containarium -- list --json',
    'ssh alice-dev',
    'incus list',
    'npm install',
  ])('accepts %s', (line) => {
    expect(reasons(line)).toEqual([]);
  });

  it.each([
    ['ssh -p 2222 manage@jump crate alice < alice.pub', /"crate".*no such verb/],
    ['ssh -p 2222 manage@jump create < alice.pub', /missing argument <user>/],
    ['ssh -p 2222 manage@jump create alice --cpus 2 < alice.pub', /--cpus/],
    ['ssh -p 2222 manage@jump create alice --memory 4 < alice.pub', /4/],
    ['ssh -p 2222 manage@jump create alice --ssh-key alice.pub', /over ssh a path means nothing/],
    ['ssh -p 2222 manage@jump audit --verb "key add"', /too many arguments/],
    ['ssh -p 2222 self@jump list', /"list" may not be used over self/],
    ['ssh -p 2222 manage@jump config', /"config" may not be used over manage/],
    ['sudo containarium remov alice', /no such verb/],
    ['sudo containarium config', /"config" may not be used over local/],
    ['containarium serve --reel', /reel/],
    ['sudo ./install.sh --disk /dev/sdb', /--disk/],
    ['sudo containarium upgrade', /needs the archive/],
    ['sudo npm start -- --reel', /reel/],
    ['npm run lnt', /no script "lnt"/],
    ['npm run containarium -- lst', /no such verb/],
    ['for user in alice; do ssh -p 2222 manage@jump creat $user; done', /"creat"/],
    ['cat alice.pub | ssh -p 2222 manage@jump creat alice', /"creat"/],
  ])('finds the error in %s', (line, why) => {
    expect(reasons(line)).toEqual([expect.stringMatching(why)]);
  });

  it('reads code blocks, continued lines and inline code, but not prose', () => {
    const text = [
      'Type ssh manage@jump nonsense.',
      '',
      '```sh',
      'ssh manage@jump \\',
      '  list',
      '```',
      'or `ssh manage@jump info`.',
      '',
      '    ssh manage@jump whoami',
    ];
    expect(codeIn(text.join('\n'))).toEqual(['ssh manage@jump list', 'ssh manage@jump info', 'ssh manage@jump whoami']);
  });

  it('reads only lines with a prompt in a block with prompts, and ignores drawings', () => {
    const text = [
      '```console',
      '$ npm start',
      'containarium 0.1.0',
      '$ ssh \\',
      '    manage@jump list',
      'NAME',
      '```',
      '',
      '    containarium <verb> ───▶ core',
    ];
    expect(codeIn(text.join('\n'))).toEqual(['$ npm start', '$ ssh manage@jump list']);
  });

  it('finds an invalid command in a text', () => {
    const text = 'Good: `ssh manage@jump list`.\n\n```sh\nssh -p 2222 manage@jump resize alice --disc 5GiB\n```\n';
    expect(codeIn(text).flatMap((line) => wrongCommands(line, scripts))).toEqual([
      { command: 'ssh -p 2222 manage@jump resize alice --disc 5GiB', why: expect.stringContaining('--disc') as string },
    ]);
  });

  it('finds relative links and ignores addresses, anchors and code', () => {
    const text =
      '[a](b.md#part) [c](https://example.org/x) [d](#part) `[e](f.md)`\n\n```\n[g](h.md)\n```\n[i](../j/k.md "title")';
    expect(relativeLinks(text)).toEqual(['b.md', '../j/k.md']);
  });
});
