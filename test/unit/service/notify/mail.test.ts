/** Messages as mail: nothing in them becomes a header, a recipient, or the end of the message. */
import { describe, expect, it } from 'vitest';
import { mailOf } from '../../../../src/service/notify/mail.ts';
import { makeMessage } from '../../../../src/service/notify/message.ts';
import { checkSettings } from '../../../../src/settings/settings.ts';

const now = new Date('2026-11-29T12:00:00.000Z');
const to = { to: ['admin@example.org', 'root@localhost'], from: 'jump@example.org' };

/** Splits a mail into its header fields and its body. */
function parts(mail: string): { readonly header: string[]; readonly body: string } {
  const at = mail.indexOf('\r\n\r\n');
  return {
    header: mail
      .slice(0, at)
      .replaceAll(/\r\n[ \t]/g, ' ')
      .split('\r\n'),
    body: mail.slice(at + 4),
  };
}

describe('a mail', () => {
  it('names sender, recipients, subject and time, and that no person wrote it', async () => {
    const { header, body } = parts(await mailOf(makeMessage(now, 'jump: alert', 'the pool is full', {}), to));
    expect(header).toContain('From: Containarium <jump@example.org>');
    expect(header).toContain('To: admin@example.org, root@localhost');
    expect(header).toContain('Subject: jump: alert');
    expect(header).toContain('Date: Sun, 29 Nov 2026 12:00:00 +0000');
    expect(header).toContain('Auto-Submitted: auto-generated');
    expect(body.trim()).toBe('the pool is full');
  });

  it.each([
    ['a line feed', 'alert\nBcc: all@example.org'],
    ['a carriage return', 'alert\rBcc: all@example.org'],
    ['both', 'alert\r\nBcc: all@example.org\r\n\r\nanother body'],
    ['a line separator', 'alert\u2028Bcc: all@example.org'],
    ['a null byte', 'alert\u0000\nBcc: all@example.org'],
  ])('has no further header from a subject with %s', async (_what, subject) => {
    const { header } = parts(await mailOf(makeMessage(now, subject, 'text', {}), to));
    expect(header.filter((line) => /^bcc/i.test(line))).toEqual([]);
    expect(header.filter((line) => /^(to|subject):/i.test(line))).toHaveLength(2);
  });

  it('has other letters in ASCII, and lines that no mail server cuts', async () => {
    const mail = await mailOf(makeMessage(now, 'Grüße von 主机', `ünïcode ${'x'.repeat(5000)}\n.\nend`, {}), to);
    expect(mail).toMatch(/^[\r\n\t -~]*$/);
    for (const line of mail.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
    expect(parts(mail).header.find((line) => line.startsWith('Subject:'))).toMatch(/=\?UTF-8\?/i);
  });
});

describe('a mail address in the configuration', () => {
  it.each([
    'a b@example.org',
    'a@example.org\nBcc: b@example.org',
    'a@example.org, b@example.org',
    '"a b"@example.org',
    'A <a@example.org>',
    '-odefault@example.org',
    'root',
    '',
  ])('is refused if it is %j', (address) => {
    expect(() => checkSettings({ alerts: { mail: [address] } }, 'of the test')).toThrow(/must be a mail address/);
  });

  it.each(['root@localhost', 'a.b+c@mail.example.org'])('may be %s', (address) => {
    expect(checkSettings({ alerts: { mail: [address] } }, 'of the test').alerts.mail).toEqual([address]);
  });
});

describe('a web address in the configuration', () => {
  it.each([
    ['http://hooks.example.org/x', false],
    ['https://hooks.example.org/x', true],
    ['http://127.0.0.1:8080/x', true],
    ['http://[::1]:8080/x', true],
    ['http://localhost/x', false],
    ['https://user:secret@hooks.example.org/', false],
    ['ftp://127.0.0.1/', false],
    ['file:///etc/passwd', false],
    ['hooks.example.org', false],
  ])('%s: allowed %s', (webhook, isAllowed) => {
    const read = (): unknown => checkSettings({ alerts: { webhook } }, 'of the test');
    if (isAllowed) expect(read).not.toThrow();
    else expect(read).toThrow(/https address/);
  });
});
