/**
 * Recognition of text that people send instead of a public key, so that each kind gets its own message. Messages repeat
 * only paths and names of key types from the input, because anything else may be a secret.
 */
import { Failure } from '../failure.ts';
import { keyTypes } from './keyBlob.ts';
import { printable, quoted } from '../text.ts';

/** The advice of every `missing-key`; a command line adds the command. */
export const giveTheKey = 'give the key itself, which is the text of its .pub file';
export const sendThePubFile = 'send the .pub file unchanged, one line: ssh-ed25519 AAAA… comment';

const types = keyTypes.map((type) => type.replaceAll('.', '\\.')).join('|');
/** A key type and the beginning of its base64, always `AAAA` because every blob begins with a length below 2¹⁶. */
const keyInside = new RegExp(`(?:${types}|ssh-dss)\\s+AAAA`);

/** Markers of private keys: PEM (RFC 7468 and older), SSH2, PuTTY, and the body of OpenSSH's format without a frame. */
const privateMarkers = [
  /BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY/i,
  /PuTTY-User-Key-File/i,
  /Private-Lines:/i,
  /b3BlbnNzaC1rZXktdjE/,
];

/** Returns `text` on one line, with single spaces and without the characters that {@link printable} escapes. */
export function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '), () => '')
    .replace(/ +/g, ' ')
    .trim();
}

/** Refuses text that contains a private key anywhere, in any line layout. The failure repeats nothing of the text. */
export function refusePrivateKey(text: string): void {
  const line = oneLine(text);
  if (!privateMarkers.some((marker) => marker.test(line))) return;
  throw new Failure('private-key', {
    what: 'the key that was sent',
    why: "it is a PRIVATE key: it has now left its owner's machine and must be considered exposed",
    next: 'stop using that key and remove it wherever it is accepted; make a new pair (ssh-keygen -t ed25519) and send only its .pub file',
  });
}

/** Reports whether a public key of a known type begins anywhere in `text`, ignoring invisible characters. */
export function holdsKey(text: string): boolean {
  return keyInside.test(oneLine(text));
}

/** Reports whether `text` is meant as a public key, with or without options before it, and not as the path of one. */
export function isMeantAsKey(text: string): boolean {
  return /^\s*(?:ssh-|ecdsa-|sk-)/.test(text) || holdsKey(text);
}

const pathStart = /^(?:~[\w.-]*[\\/]|\.{1,2}[\\/]|\/|[A-Za-z]:[\\/]|\\\\|%\w+%[\\/]|\$\{?\w+\}?[\\/]|file:)/;
const keyFileName = /^(?:[\w.@+-]+\.(?:pub|ppk|pem|key)|id_[a-z0-9_-]+)$/i;

/** Refuses a line that is a path, because the server cannot read the client's files. */
export function refusePath(line: string): void {
  if (!pathStart.test(line) && !keyFileName.test(line)) return;
  // A lone line of base64 may also begin with a slash. It may be part of a key, so it is not repeated.
  const shown = line.length > 200 || /[A-Za-z0-9+=]{30,}/.test(line) ? 'the key' : quoted(line, 100);
  throw new Failure('missing-key', {
    what: shown,
    why: 'this looks like the path of a file on your machine, which the server cannot read',
    next: /\.pub$/i.test(line) ? giveTheKey : `${giveTheKey}, never the private key beside it`,
  });
}

/** Key formats other than OpenSSH's single line, each with the command that converts it. */
const formats: readonly { readonly marker: RegExp; readonly why: string; readonly next: string }[] = [
  {
    marker: /-{4} ?BEGIN SSH2 PUBLIC KEY/,
    why: 'this key is in SSH2 format (RFC 4716), as written by PuTTY and others',
    next: 'convert it and send the result: ssh-keygen -i -f KEYFILE',
  },
  {
    marker: /-{4} ?BEGIN RSA PUBLIC KEY/,
    why: 'this key is in PEM format (PKCS #1)',
    next: 'convert it and send the result: ssh-keygen -i -m PEM -f KEYFILE',
  },
  {
    marker: /-{4} ?BEGIN PUBLIC KEY/,
    why: 'this key is in PEM format (PKCS #8)',
    next: 'convert it and send the result: ssh-keygen -i -m PKCS8 -f KEYFILE',
  },
  { marker: /-{4} ?BEGIN (?:X509 |TRUSTED )?CERTIFICATE/, why: 'this is an X.509 certificate', next: sendThePubFile },
  {
    marker: /-{4} ?BEGIN PGP/,
    why: 'this is an OpenPGP key',
    next: 'export it as an SSH key and send the result: gpg --export-ssh-key NAME',
  },
  { marker: /-{4} ?BEGIN SSH SIGNATURE/, why: 'this is a signature', next: sendThePubFile },
];

const utf16 = {
  why: 'NUL characters; the file is probably in UTF-16',
  next: 'save the .pub file as plain text (in PowerShell: Get-Content alice.pub | ssh …) and send it again',
};

/** Refuses text that is not in the one-line format at all. */
export function refuseOtherFormats(text: string): void {
  const line = oneLine(text);
  const found = text.includes('\0') ? utf16 : formats.find(({ marker }) => marker.test(line));
  if (found !== undefined) throw new Failure('invalid-key', { what: 'public key', why: found.why, next: found.next });
}

/**
 * Returns why the first word of a line is not an accepted key type, and the next step. `rest` is the text after the
 * word.
 */
export function typeFault(word: string, rest: string): { readonly why: string; readonly next: string } {
  const accepted = `accepted types are ${keyTypes.join(', ')}; to create a key: ssh-keygen -t ed25519`;
  if (/-cert-v\d\d@openssh\.com$/.test(word)) {
    return {
      why: 'this is a certificate, not a key',
      next: 'send the plain public key: the .pub file without "-cert" in its name',
    };
  }
  if (word === 'ssh-dss') {
    return {
      why: 'this is a DSA key, which OpenSSH no longer accepts',
      next: 'create a new key: ssh-keygen -t ed25519',
    };
  }
  if (/^AAAA[A-Za-z0-9+/]+=*$/.test(word))
    return { why: 'missing key type at the beginning of the line', next: sendThePubFile };
  if (/^[A-Za-z0-9+/]{32,}=*$/.test(word)) {
    return { why: 'this is part of a key that was split over several lines', next: sendThePubFile };
  }
  if (holdsKey(rest) || /["=,]/.test(word)) {
    return {
      why: 'text before the key type, such as authorized_keys options or a host name, is not accepted',
      next: 'send the line from the key type on: ssh-ed25519 AAAA… comment',
    };
  }
  // Repeats the word only if it has the form of a key type: anything else may be a secret sent by mistake.
  if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?:@[a-z0-9.-]+)?$/.test(word) && word.length <= 64 && /^\s*AAAA/.test(rest)) {
    return { why: `keys of type ${quoted(word)} are not accepted`, next: accepted };
  }
  return { why: 'not an OpenSSH public key', next: sendThePubFile };
}
