/**
 * What people send where a public key is wanted, recognised so that each gets its own answer. Of what was sent,
 * failures repeat only paths and names of key types: anything else may be a secret.
 */
import { Failure } from '../failure.ts';
import { keyTypes } from './keyBlob.ts';
import { printable, quoted } from '../text.ts';

const pipeIt = 'send the key itself on standard input: ssh -p 2222 manage@HOST create alice < alice.pub';
export const sendThePubFile = 'send the content of the .pub file as it is, one line: ssh-ed25519 AAAA… comment';

const types = keyTypes.map((type) => type.replaceAll('.', '\\.')).join('|');
/** A key's type and the beginning of its base64: `AAAA`, since every blob begins with a length below 2¹⁶. */
const keyInside = new RegExp(`(?:${types}|ssh-dss)\\s+AAAA`);

/**
 * Markers of private keys: PEM (RFC 7468 and older), SSH2, PuTTY, and the body of OpenSSH's own format without its
 * frame.
 */
const privateMarkers = [
  /BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY/i,
  /PuTTY-User-Key-File/i,
  /Private-Lines:/i,
  /b3BlbnNzaC1rZXktdjE/,
];

/** `text` on one line, with single blanks, and without the characters that {@link printable} would have to escape. */
export function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  if (printable(line) === line) return line.trim();
  const kept = [...line].filter((character) => printable(character) === character).join('');
  return kept.replace(/ +/g, ' ').trim();
}

/**
 * Refuses text that holds a private key anywhere, however it is broken into lines. The failure carries nothing of it.
 */
export function refusePrivateKey(text: string): void {
  const line = oneLine(text);
  if (!privateMarkers.some((marker) => marker.test(line))) return;
  throw new Failure('private-key', {
    what: 'the key that was sent',
    why: "it is a PRIVATE key: it has now left its owner's machine and must be considered exposed",
    next: 'stop using that key and remove it wherever it is accepted; make a new pair (ssh-keygen -t ed25519) and send only its .pub file',
  });
}

/** Whether a public key of any known type begins somewhere in `text`, also behind invisible characters. */
export function holdsKey(text: string): boolean {
  return keyInside.test(oneLine(text));
}

const pathStart = /^(?:~[\w.-]*[\\/]|\.{1,2}[\\/]|\/|[A-Za-z]:[\\/]|\\\\|%\w+%[\\/]|\$\{?\w+\}?[\\/]|file:)/;
const keyFileName = /^(?:[\w.@+-]+\.(?:pub|ppk|pem|key)|id_[a-z0-9_-]+)$/i;

/** Refuses a line that is the path of a file: the server cannot see the client's files. */
export function refusePath(line: string): void {
  if (!pathStart.test(line) && !keyFileName.test(line)) return;
  // A lone line of base64 may begin with a slash as well: what may be a part of a key is not repeated.
  const shown = line.length > 200 || /[A-Za-z0-9+=]{30,}/.test(line) ? 'the key' : quoted(line, 100);
  throw new Failure('usage', {
    what: shown,
    why: 'it looks like the path of a file on your machine, which the server cannot read',
    next: /\.pub$/i.test(line) ? pipeIt : `${pipeIt} (the .pub file, never the private key beside it)`,
  });
}

/** Public keys in other formats than OpenSSH's one line, each with the ssh-keygen(1) call that converts it. */
const formats: readonly { readonly marker: RegExp; readonly why: string; readonly next: string }[] = [
  {
    marker: /-{4} ?BEGIN SSH2 PUBLIC KEY/,
    why: 'it is in the SSH2 format (RFC 4716), which PuTTY and others write',
    next: 'convert it and send the result: ssh-keygen -i -f KEYFILE',
  },
  {
    marker: /-{4} ?BEGIN RSA PUBLIC KEY/,
    why: 'it is in the PEM format (PKCS #1)',
    next: 'convert it and send the result: ssh-keygen -i -m PEM -f KEYFILE',
  },
  {
    marker: /-{4} ?BEGIN PUBLIC KEY/,
    why: 'it is in the PEM format (PKCS #8)',
    next: 'convert it and send the result: ssh-keygen -i -m PKCS8 -f KEYFILE',
  },
  { marker: /-{4} ?BEGIN (?:X509 |TRUSTED )?CERTIFICATE/, why: 'it is an X.509 certificate', next: sendThePubFile },
  {
    marker: /-{4} ?BEGIN PGP/,
    why: 'it is an OpenPGP key',
    next: 'export its ssh form and send that: gpg --export-ssh-key NAME',
  },
  { marker: /-{4} ?BEGIN SSH SIGNATURE/, why: 'it is a signature', next: sendThePubFile },
];

const utf16 = {
  why: 'it has NUL characters, as text in UTF-16 has',
  next: 'save the .pub file as plain text (in PowerShell: Get-Content alice.pub | ssh …) and send it again',
};

/** Refuses whole texts that are not lines of keys at all. */
export function refuseOtherFormats(text: string): void {
  const line = oneLine(text);
  const found = text.includes('\0') ? utf16 : formats.find(({ marker }) => marker.test(line));
  if (found !== undefined) throw new Failure('invalid-key', { what: 'public key', why: found.why, next: found.next });
}

/**
 * Why the first word of a line is not the type of an acceptable key, and what to do. `rest` is what follows the word.
 */
export function typeFault(word: string, rest: string): { readonly why: string; readonly next: string } {
  const accepted = `accepted are ${keyTypes.join(', ')}; to make one: ssh-keygen -t ed25519`;
  if (/-cert-v\d\d@openssh\.com$/.test(word)) {
    return {
      why: 'it is a certificate, not a key',
      next: 'send the plain public key: the .pub file without "-cert" in its name',
    };
  }
  if (word === 'ssh-dss') {
    return {
      why: 'it is a DSA key, which OpenSSH does not accept any more',
      next: 'make a new key: ssh-keygen -t ed25519',
    };
  }
  if (/^AAAA[A-Za-z0-9+/]+=*$/.test(word))
    return { why: 'the type in front of the key is missing', next: sendThePubFile };
  if (/^[A-Za-z0-9+/]{32,}=*$/.test(word)) {
    return { why: 'it is a piece of a key that was broken over several lines', next: sendThePubFile };
  }
  if (holdsKey(rest) || /["=,]/.test(word)) {
    return {
      why: 'there is text before the type of the key, such as options of authorized_keys or a host name, and only the key is taken',
      next: 'send the line from the type of the key on: ssh-ed25519 AAAA… comment',
    };
  }
  // Only what has the shape of a type is repeated: anything else may be a secret sent by mistake.
  if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)+(?:@[a-z0-9.-]+)?$/.test(word) && word.length <= 64 && /^\s*AAAA/.test(rest)) {
    return { why: `keys of type ${quoted(word)} are not accepted`, next: accepted };
  }
  return { why: 'it is not an OpenSSH public key', next: sendThePubFile };
}
