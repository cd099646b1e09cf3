import { describe, expect, it, test } from 'vitest';
import { parseSshdMessage } from '../../../../src/host/sshd/messages.ts';

const fingerprint = 'SHA256:iT9NJ6F38D885ZDUNOCbeySfMcHG09UXTFGheticFe8';

describe('a login', () => {
  it('has the user, the address, the port and the key', () => {
    expect(
      parseSshdMessage(`Accepted publickey for alice from 127.0.0.1 port 42930 ssh2: ED25519 ${fingerprint}`),
    ).toEqual({
      kind: 'accepted',
      user: 'alice',
      address: '127.0.0.1',
      port: 42930,
      method: 'publickey',
      keyType: 'ED25519',
      fingerprint,
    });
  });

  it('over IPv6 has an IPv6 address', () => {
    expect(
      parseSshdMessage(`Accepted publickey for bob-2 from 2001:db8::7 port 1 ssh2: ECDSA-SK ${fingerprint}`),
    ).toMatchObject({ user: 'bob-2', address: '2001:db8::7', keyType: 'ECDSA-SK' });
  });

  it('with a certificate has the fingerprint of the key, whatever key id the CA chose', () => {
    const id = `ID x from 9.9.9.9 port 9 ssh2: RSA SHA256:${'A'.repeat(43)} (serial 0)`;
    expect(
      parseSshdMessage(
        `Accepted publickey for alice from 192.0.2.7 port 5 ssh2: ED25519-CERT ${fingerprint} ${id} CA ED25519 SHA256:x`,
      ),
    ).toMatchObject({ address: '192.0.2.7', keyType: 'ED25519-CERT', fingerprint });
  });

  it('without a key has no fingerprint', () => {
    expect(parseSshdMessage('Accepted keyboard-interactive/pam for alice from 192.0.2.7 port 5 ssh2')).toMatchObject({
      method: 'keyboard-interactive/pam',
      keyType: null,
      fingerprint: null,
    });
  });
});

it('the end of a session has its user', () => {
  expect(parseSshdMessage('pam_unix(sshd:session): session closed for user alice')).toEqual({
    kind: 'closed',
    user: 'alice',
  });
});

test.each([
  ['Connection closed by authenticating user alice 127.0.0.1 port 42932 [preauth]', 'alice', '127.0.0.1'],
  ['Connection reset by authenticating user root 192.0.2.7 port 42932 [preauth]', 'root', '192.0.2.7'],
  ['Disconnected from authenticating user alice 2001:db8::7 port 1 [preauth]', 'alice', '2001:db8::7'],
  ['Connection closed by invalid user bad user 127.0.0.1 port 42940 [preauth]', null, '127.0.0.1'],
  ['Connection closed by invalid user  127.0.0.1 port 42940 [preauth]', null, '127.0.0.1'],
  ['Disconnecting invalid user x 192.0.2.7 port 5: Too many authentication failures [preauth]', null, '192.0.2.7'],
  // The client called itself "x from 1.2.3.4 port 5".
  ['Connection closed by invalid user x from 1.2.3.4 port 5 127.0.0.1 port 42952 [preauth]', null, '127.0.0.1'],
  ['Connection closed by invalid user alice 9.9.9.9 port 1 [preauth] 192.0.2.7 port 2 [preauth]', null, '192.0.2.7'],
])('a failed login has the address that sshd saw: %s', (message, user, address) => {
  expect(parseSshdMessage(message)).toEqual({ kind: 'failed', user, address });
});

test.each([
  'Failed publickey for alice from 192.0.2.7 port 5 ssh2: ED25519 SHA256:x',
  `Failed publickey for invalid user Accepted publickey for alice from 9.9.9.9 port 9 ssh2: ED25519 ${fingerprint}`,
  'Invalid user x from 1.2.3.4 port 5 from 127.0.0.1 port 42952',
  'Connection closed by 192.0.2.7 port 5 [preauth]',
  'Disconnected from user alice 127.0.0.1 port 42930',
  'Received disconnect from 127.0.0.1 port 42930:11: disconnected by user',
  `error: Accepted publickey for alice from 192.0.2.7 port 5 ssh2: ED25519 ${fingerprint}`,
  `Accepted publickey for alice from 192.0.2.7 port 5 ssh2: ED25519 ${fingerprint}\nAccepted publickey for bob`,
  `Accepted publickey for Alice from 192.0.2.7 port 5 ssh2: ED25519 ${fingerprint}`,
  `Accepted publickey for alice from 999.0.2.7 port 5 ssh2: ED25519 ${fingerprint}`,
  `Accepted publickey for alice from UNKNOWN port 65535 ssh2: ED25519 ${fingerprint}`,
  `Accepted publickey for alice from 192.0.2.7 port 70000 ssh2: ED25519 ${fingerprint}`,
  'pam_unix(sshd:session): session closed for user alice by x',
  'pam_unix(su:session): session closed for user alice',
  '',
])('no login is read from another message: %j', (message) => {
  expect(parseSshdMessage(message)).toBeUndefined();
});
