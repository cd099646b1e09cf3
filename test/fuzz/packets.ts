/**
 * Packets for the fuzzer: valid messages of RFC 4250 to 4254, 4256, 8308, 8332 and of OpenSSH's extensions (PROTOCOL),
 * and mutations of them. fast-check generates them, so that a seed reproduces the packets and a failure is shrunk.
 */
import fc from 'fast-check';
import { boolean, message, string, uint32 } from '../support/rawClient.ts';

/** Boundary values of channel numbers, windows, packet sizes and lengths. */
const edges = [
  0,
  1,
  2,
  9,
  10,
  16,
  255,
  1023,
  1024,
  32_768,
  35_000,
  2 ** 21,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 2,
  2 ** 32 - 1,
];

const number = fc
  .oneof({ weight: 3, arbitrary: fc.constantFrom(...edges) }, { weight: 1, arbitrary: fc.nat({ max: 2 ** 31 - 1 }) })
  .map(uint32);

/** A channel number, mostly one that may exist: the server counts channels from 0. */
const channel = fc.oneof({ weight: 8, arbitrary: fc.nat({ max: 5 }).map(uint32) }, { weight: 1, arbitrary: number });

/**
 * Text that may confuse a terminal, a log or a parser: escapes, bidi and zero-width marks, NUL, invalid UTF-8, length.
 */
const nasty = fc.constantFrom(
  Buffer.from('\u001b[2J\u001b]0;title\u0007\u001b]52;c;eA==\u0007'),
  Buffer.from('\u202e\u2066\u200b\u200d\ufeff\u0000\u0085\u2028'),
  Buffer.from('👩‍👩‍👧‍👦'.repeat(50)),
  Buffer.from('e\u0301'.repeat(200)),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
  Buffer.from('\r\n\u0003\u0004\u0011\u0013\u001a\u007f\b'),
  Buffer.from('$(reboot)`id`;&&||<>*?[a-z]{1..9}\'"\\'),
  Buffer.from('../../etc/passwd'),
  Buffer.from('__proto__'),
  Buffer.alloc(0),
);
const long = fc
  .tuple(
    fc.constantFrom(
      'x',
      '"',
      '\\',
      "'",
      '-',
      ' ',
      '--a=',
      '{"a":',
      '\u001b[',
      '\u001b[A',
      '\u001b[200~',
      '\t',
      '\u007f',
      'e\u0301',
      '(',
      '👩‍👧',
      '-----BEGIN RSA PRIVATE KEY-----\n',
      'a,',
      '\n',
    ),
    fc.constantFrom(300, 2000, 20_000, 32_000),
  )
  .map(([piece, length]) => Buffer.from(piece.repeat(Math.ceil(length / piece.length)).slice(0, length)));
const text = fc
  .oneof(
    { weight: 6, arbitrary: nasty },
    { weight: 6, arbitrary: fc.string({ maxLength: 24, unit: 'binary' }).map((value) => Buffer.from(value)) },
    { weight: 6, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: long },
  )
  .map(string);

function name(...names: readonly string[]): fc.Arbitrary<Buffer> {
  return fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...names).map(string) }, { weight: 1, arbitrary: text });
}
const truth = fc.boolean().map(boolean);
const byte = (value: number): fc.Arbitrary<Buffer> => fc.constant(Buffer.from([value]));
const keyAlgorithm = name(
  'ssh-ed25519',
  'rsa-sha2-256',
  'rsa-sha2-512',
  'ssh-rsa',
  'ssh-dss',
  'ecdsa-sha2-nistp256',
  'sk-ssh-ed25519@openssh.com',
  'ssh-ed25519-cert-v01@openssh.com',
  'x509v3-ssh-rsa',
);

type Fields = readonly fc.Arbitrary<Buffer>[];

/** Returns a login request. Most name the same user, because a change of user ends the connection. */
function login(user: string, method: string, ...fields: Fields): Fields {
  return [
    byte(message.userauthRequest),
    fc.oneof({ weight: 60, arbitrary: fc.constant(string(user)) }, { weight: 1, arbitrary: text }),
    fc.constant(string('ssh-connection')),
    fc.constant(string(method)),
    ...fields,
  ];
}

const transport: Fields[] = [
  [byte(message.ignore), text],
  [byte(3), number],
  [byte(4), truth, text, text],
  [byte(7), fc.constant(uint32(1)), name('ext-info-in-auth@openssh.com', 'server-sig-algs', 'delay-compression'), text],
  [
    byte(message.globalRequest),
    name(
      'keepalive@openssh.com',
      'tcpip-forward',
      'cancel-tcpip-forward',
      'hostkeys-prove-00@openssh.com',
      'streamlocal-forward@openssh.com',
    ),
    truth,
    text,
    number,
  ],
  [byte(message.requestSuccess)],
  [byte(message.requestFailure)],
];

const beforeLogin: Fields[] = [
  ...transport,
  [byte(message.serviceRequest), name('ssh-userauth', 'ssh-connection')],
  login('manage', 'none'),
  login('manage', 'password', truth, text),
  login('manage', 'password', truth, text, text),
  login('manage', 'publickey', byte(0), keyAlgorithm, text),
  login('manage', 'publickey', byte(0), keyAlgorithm, text),
  login('manage', 'publickey', byte(1), keyAlgorithm, text, text),
  login('manage', 'publickey', byte(1), keyAlgorithm, text, text),
  login('manage', 'keyboard-interactive', text, text),
  login('manage', 'hostbased', keyAlgorithm, text, text, text, text),
  // Messages that only a server sends, and the response of RFC 4256.
  [byte(message.userauthFailure), text, truth],
  [byte(message.userauthSuccess)],
  [byte(message.userauthBanner), text, text],
  [byte(message.userauthPkOk), keyAlgorithm, text],
  [byte(61), fc.constant(uint32(1)), text],
  [byte(message.channelOpen), name('session', 'direct-tcpip'), number, number, number],
  [byte(message.channelRequest), channel, name('exec', 'shell'), truth, text],
  [byte(message.channelData), channel, text],
];

/** Commands that do not call core, so that the front is tested. Some are invalid. */
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(
        'help',
        'help --json',
        'nonsense',
        'info',
        'create --memory',
        'list --format',
        'help create',
        '"',
        'list --columns=',
      )
      .map(string),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('create ', 'info ', 'help ', 'list --label=', ''), text)
      .map(([verb, rest]) => string(Buffer.concat([Buffer.from(verb), rest.subarray(4)]))),
  },
  { weight: 1, arbitrary: fc.constantFrom('whoami', 'version --json', 'plain', 'list --watch').map(string) },
);
const modes = fc
  .oneof(
    fc.constant(Buffer.alloc(0)),
    fc.constant(Buffer.from([128, 0, 0, 0x96, 0, 53, 0, 0, 0, 1, 0])),
    fc.constant(Buffer.from([3, 0xff, 0, 0, 1])),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  )
  .map(string);

function request(type: string, ...fields: Fields): Fields {
  return [byte(message.channelRequest), channel, fc.constant(string(type)), truth, ...fields];
}
const openSession: Fields = [
  byte(message.channelOpen),
  fc.constant(string('session')),
  number,
  number,
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(1024, 16_384, 32_768, 2 ** 32 - 1).map(uint32) },
    { weight: 1, arbitrary: number },
  ),
];

const afterLogin: Fields[] = [
  ...transport,
  openSession,
  openSession,
  openSession,
  [
    byte(message.channelOpen),
    name(
      'direct-tcpip',
      'forwarded-tcpip',
      'x11',
      'auth-agent@openssh.com',
      'direct-streamlocal@openssh.com',
      'tun@openssh.com',
    ),
    number,
    number,
    number,
    text,
    number,
    text,
    number,
  ],
  [byte(message.channelOpenConfirmation), channel, number, number, number],
  [byte(message.channelOpenFailure), channel, number, text, text],
  [
    byte(message.channelWindowAdjust),
    channel,
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(0, 1, 1000, 65_536).map(uint32) },
      { weight: 1, arbitrary: number },
    ),
  ],
  [byte(message.channelData), channel, text],
  [byte(message.channelData), channel, text],
  [byte(message.channelExtendedData), channel, number, text],
  [byte(message.channelEof), channel],
  [byte(message.channelClose), channel],
  [byte(message.channelSuccess), channel],
  [byte(message.channelFailure), channel],
  request('pty-req', name('xterm-256color', 'dumb', 'vt100', '../../x'), number, number, number, number, modes),
  request('window-change', number, number, number, number),
  request('env', name('LANG', 'LC_ALL', 'LD_PRELOAD', 'NO_COLOR', 'TERM', '__proto__'), text),
  request('exec', command),
  request('exec', command),
  request('shell'),
  request('subsystem', name('sftp', 'netconf')),
  request('signal', name('INT', 'TERM', 'HUP', 'KILL', 'WINCH')),
  request('break', number),
  request('x11-req', truth, text, text, number),
  request('auth-agent-req@openssh.com'),
  request('exit-status', number),
  request('exit-signal', name('SEGV'), truth, text, text),
  request('xon-xoff', truth),
  request('eow@openssh.com'),
];

/** A mutation of a valid packet. Most keep its structure, because a wrong length only ends the connection. */
const mutation = fc.oneof(
  { weight: 50, arbitrary: fc.constant({ how: 'none' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      how: fc.constant('flip' as const),
      bits: fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ how: fc.constant('cut' as const), to: fc.nat({ max: 60 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ how: fc.constant('extend' as const), by: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      how: fc.constant('number' as const),
      at: fc.nat({ max: 60 }),
      value: fc.constantFrom(...edges),
    }),
  },
  { weight: 6, arbitrary: fc.record({ how: fc.constant('type' as const), type: fc.nat({ max: 255 }) }) },
);

function mutate(packet: Buffer, what: typeof mutation extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const changed = Buffer.from(packet);
  switch (what.how) {
    case 'none':
      return changed;
    case 'flip':
      for (const bit of what.bits)
        if (bit >> 3 < changed.length) changed.writeUInt8((changed[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      return changed;
    case 'cut':
      return changed.subarray(0, Math.max(1, what.to));
    case 'extend':
      return Buffer.concat([changed, what.by]);
    case 'number':
      if (what.at + 4 <= changed.length) changed.writeUInt32BE(what.value, what.at);
      return changed;
    case 'type':
      changed[0] = what.type;
      return changed;
  }
}

/** Reports whether a packet regularly ends the connection or starts a key exchange. Such packets are kept rare. */
const isRare = (packet: Buffer): boolean => packet[0] === message.disconnect || packet[0] === 20;

function packets(messages: readonly Fields[], maxBytes: number): fc.Arbitrary<string> {
  const valid = fc.oneof(...messages.map((fields) => fc.tuple(...fields).map((parts) => Buffer.concat(parts))));
  return fc
    .tuple(valid, mutation, fc.nat({ max: 30 }))
    .map(([packet, what, luck]) => {
      const made = mutate(packet, what).subarray(0, maxBytes);
      return isRare(made) && luck > 3 ? Buffer.concat([Buffer.from([message.ignore]), made.subarray(1)]) : made;
    })
    .map((packet) => packet.toString('hex'));
}

/** Maximum size of a payload, in bytes. ssh2 accepts packets of 35,000 bytes with padding (RFC 4253, section 6.1). */
const maxPacketBytes = 34_900;

/** Returns batches of packets in hexadecimal, the format of kept.json. */
export function batchBeforeLogin(size: number): fc.Arbitrary<string[]> {
  return fc.array(packets(beforeLogin, maxPacketBytes), { minLength: size, maxLength: size, size: 'max' });
}

/** Stands for a packet in a batch: the client waits, for instance until a shell shows its prompt. */
export const pause = '';

const hex = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString('hex');

function channelRequest(type: string, ...fields: readonly Buffer[]): string {
  return hex([Buffer.from([message.channelRequest]), uint32(0), string(type), boolean(true), ...fields]);
}

/**
 * Returns the beginning of a batch, in an order that chance would rarely produce: a session, a terminal, a command or a
 * shell, and a pause.
 */
function beginning(): fc.Arbitrary<string[]> {
  const window = fc.oneof({ weight: 3, arbitrary: fc.constant(uint32(2 ** 21)) }, { weight: 1, arbitrary: number });
  const packetSize = fc.oneof({ weight: 6, arbitrary: fc.constant(uint32(32_768)) }, { weight: 1, arbitrary: number });
  const session = fc
    .tuple(window, packetSize)
    .map(([windowSize, largest]) =>
      hex([Buffer.from([message.channelOpen]), string('session'), uint32(0), windowSize, largest]),
    );
  const side = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(80, 24, 300).map(uint32) },
    { weight: 1, arbitrary: number },
  );
  const terminal = fc
    .tuple(name('xterm-256color', 'xterm', 'dumb'), side, side)
    .map(([type, columns, rows]) => channelRequest('pty-req', type, columns, rows, uint32(0), uint32(0), string('')));
  const exec = command.map((line) => channelRequest('exec', line));
  return fc.oneof<fc.MaybeWeightedArbitrary<string[]>[]>(
    { weight: 10, arbitrary: fc.constant([]) },
    { weight: 10, arbitrary: session.map((open) => [open]) },
    { weight: 6, arbitrary: fc.tuple(session, exec) },
    { weight: 2, arbitrary: fc.tuple(session, exec, fc.constant(pause)) },
    { weight: 2, arbitrary: fc.tuple(session, terminal, exec, fc.constant(pause)) },
    { weight: 2, arbitrary: fc.tuple(session, terminal, fc.constant(channelRequest('shell')), fc.constant(pause)) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        session,
        terminal,
        fc.constant(channelRequest('exec', string('delete nobody-here'))),
        fc.constant(pause),
      ),
    },
  );
}

/** Input for the shell or the command that a batch began with. */
const typed = text.map((content) => hex([Buffer.from([message.channelData]), uint32(0), content]));

export function batchAfterLogin(size: number): fc.Arbitrary<string[]> {
  const packet = fc.oneof(
    { weight: 9, arbitrary: packets(afterLogin, maxPacketBytes) },
    { weight: 1, arbitrary: typed },
    {
      weight: 1,
      arbitrary: fc
        .tuple(number, number)
        .map(([columns, rows]) => channelRequest('window-change', columns, rows, uint32(0), uint32(0))),
    },
  );
  return fc
    .tuple(beginning(), fc.array(packet, { minLength: size, maxLength: size, size: 'max' }))
    .map(([first, rest]) => [
      ...first,
      ...rest.slice(0, size - first.filter((step) => step !== pause).length),
      ...(first.includes(pause) ? [pause] : []),
    ]);
}

/**
 * Returns the unencrypted beginning of a connection: the identification line, KEXINIT and more packets (RFC 4253,
 * sections 4.2 and 7.1).
 */
export function openings(): fc.Arbitrary<string[]> {
  const ident = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .constantFrom(
          'SSH-2.0-OpenSSH_9.9\r\n',
          'SSH-2.0-x\n',
          'SSH-2.0-PuTTY_Release_0.78\r\n',
          'SSH-2.0-Cisco-1.25\r\n',
        )
        .map((line) => Buffer.from(line)),
    },
    {
      weight: 1,
      arbitrary: text.map((value) => Buffer.concat([Buffer.from('SSH-2.0-'), value.subarray(4), Buffer.from('\r\n')])),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          'SSH-1.99-x\r\n',
          'SSH-2.0-\r\n',
          'GET / HTTP/1.1\r\n\r\n',
          '\u0016\u0003\u0001\u0002\u0000\u0001',
          'SSH-2.0-a\rb\n',
          '\r\nSSH-2.0-x\r\n',
          'SSH-2.0-\u0000\r\n',
        )
        .map((line) => Buffer.from(line)),
    },
  );
  const list = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .constantFrom(
          'curve25519-sha256',
          'ssh-ed25519',
          'aes256-gcm@openssh.com',
          'hmac-sha2-256-etm@openssh.com',
          'none',
          '',
          'ext-info-c,kex-strict-c-v00@openssh.com,curve25519-sha256@libssh.org',
        )
        .map((names) => string(names)),
    },
    { weight: 2, arbitrary: text },
    { weight: 1, arbitrary: fc.constant(string(','.repeat(3000))) },
  );
  const order = [
    'curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com',
    'ssh-ed25519',
    'aes256-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-256-etm@openssh.com',
    'none',
    'none',
    '',
    '',
  ];
  const lists = fc.tuple(
    ...order.map((names) =>
      fc.oneof({ weight: 8, arbitrary: fc.constant(string(names)) }, { weight: 1, arbitrary: list }),
    ),
  );
  const kexInit = fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), lists, truth, number)
    .map(([cookie, names, follows, reserved]) =>
      Buffer.concat([Buffer.from([20]), cookie, ...names, follows, reserved]),
    );
  const exchange = fc
    .oneof(
      text,
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((point) => string(Buffer.from(point))),
    )
    .map((point) => Buffer.concat([Buffer.from([30]), point]));
  const framed = fc
    .tuple(
      fc.oneof(
        kexInit,
        kexInit,
        kexInit,
        exchange,
        packets(transport, 2000).map((hex) => Buffer.from(hex, 'hex')),
      ),
      mutation,
      fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...edges) }),
    )
    .map(([payload, what, lie]) => frame(mutate(payload, what), lie));
  return fc
    .tuple(ident, fc.array(framed, { minLength: 1, maxLength: 4 }))
    .map(([line, rest]) => [line, ...rest].map((bytes) => bytes.toString('hex')));
}

/** Frames a payload as an unencrypted packet (RFC 4253, section 6). `lie` overrides its length field. */
function frame(payload: Buffer, lie: number | undefined): Buffer {
  const padding = 8 - ((payload.length + 5) % 8) + 4;
  return Buffer.concat([
    uint32(lie ?? payload.length + padding + 1),
    Buffer.from([padding]),
    payload,
    Buffer.alloc(padding),
  ]);
}
