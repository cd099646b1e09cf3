/**
 * Whether the time that a refused login takes tells something: `npm run bench:refusals`, with `-- --probes 1000` for
 * more of them. Clients on the loopback interface, where the network adds next to nothing, ask for one login each; the
 * kinds of them are interleaved in a random order.
 *
 * Printed are the median from the request to its answer for each kind, and for each two that must not be told apart:
 * whether the answers are the same byte for byte, the difference of the medians, and how likely differences as large
 * are by chance alone: a permutation test of the ranks, which does not mind the long tail that times have. Ends with 1
 * where that is less likely than 1 % divided by the number of pairs.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, permutationTest } from 'simple-statistics';
import { anySource } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { ed25519Signer, RawClient } from '../support/rawClient.ts';
import { startServer } from './shell/server.ts';

const { values: options } = parseArgs({ options: { probes: { type: 'string', default: '300' } } });
const probes = Number(options.probes);
if (!(Number.isInteger(probes) && probes >= 20)) throw new Error('--probes takes a number, 20 or more');

/** Thrown away: code that runs for the first time is compiled. */
const warming = 20;
const likelihood = 0.01;
const permutations = 10_000;

type Signature = 'none' | 'right' | 'wrong';

interface Kind {
  readonly name: string;
  readonly user: string;
  readonly key: TestKey;
  readonly signature: Signature;
}

const folder = await mkdtemp(join(tmpdir(), 'refusals-bench-'));
const server = await startServer(1, { logTo: 'ignore' });
try {
  const unknown = await makeKey(folder, 'unknown');
  const known = await keyAt(server.keys[0] ?? '');
  const kind = (user: string, key: TestKey, signature: Signature): Kind => ({
    name: `${user.length > 20 ? 'an invitation' : `${user}@`}, ${key === known ? "an admin's key" : 'an unknown key'}${signature === 'none' ? '' : `, ${signature === 'wrong' ? 'a wrong' : 'its'} signature`}`,
    user,
    key,
    signature,
  });
  const offers = {
    manage: kind('manage', unknown, 'none'),
    self: kind('self', unknown, 'none'),
    other: kind('root', unknown, 'none'),
    adminAtSelf: kind('self', known, 'none'),
    invitation: kind(`invite-${'a'.repeat(32)}`, unknown, 'none'),
  };
  const signed = {
    manage: kind('manage', unknown, 'right'),
    self: kind('self', unknown, 'right'),
    other: kind('root', unknown, 'right'),
    adminAtSelf: kind('self', known, 'wrong'),
    adminAtManage: kind('manage', known, 'wrong'),
  };
  const kinds = [...Object.values(offers), ...Object.values(signed)];
  const pairs: readonly (readonly [Kind, Kind])[] = [
    [offers.manage, offers.other],
    [offers.manage, offers.self],
    [offers.self, offers.adminAtSelf],
    [signed.manage, signed.other],
    [signed.manage, signed.self],
    [signed.self, signed.adminAtSelf],
  ];
  const mayDiffer: readonly (readonly [Kind, Kind, string])[] = [
    [offers.manage, offers.invitation, 'what looks like an invitation is hashed, whether there is one or not'],
    [
      signed.manage,
      signed.adminAtManage,
      'who offers this key is told that it would do (RFC 4252, section 7), and its signature is verified',
    ],
  ];

  const times = new Map<Kind, number[]>(kinds.map((each) => [each, []]));
  const answers = new Map<Kind, Set<string>>(kinds.map((each) => [each, new Set()]));
  for (let i = 0; i < warming + probes; i++) {
    for (const each of shuffled(kinds)) {
      const { us, answer } = await probe(each);
      answers.get(each)?.add(answer);
      if (i >= warming) times.get(each)?.push(us);
    }
  }

  console.log(`${probes} probes of each kind`);
  for (const each of kinds)
    console.log(
      `  ${each.name.padEnd(46)} median ${median(times.get(each) ?? [])
        .toFixed(1)
        .padStart(7)} µs`,
    );
  let differ = 0;
  console.log(`pairs that must not differ (p below ${(likelihood / pairs.length).toFixed(4)} would be a difference)`);
  for (const [one, other] of pairs) {
    const p = chance(one, other);
    const isSame = [...(answers.get(one) ?? [])].join() === [...(answers.get(other) ?? [])].join();
    if (!isSame || p < likelihood / pairs.length) differ++;
    show(one, other, p, isSame ? 'the same answer' : 'ANOTHER ANSWER');
  }
  console.log('pairs that may differ, because nothing is learnt from it');
  for (const [one, other, why] of mayDiffer) show(one, other, chance(one, other), why);
  console.log(differ === 0 ? '✓ nothing can be told from the time or the answer' : `✗ ${differ} pairs differ`);
  process.exitCode = differ === 0 ? 0 : 1;

  function show(one: Kind, other: Kind, p: number, answer: string): void {
    const difference = median(times.get(other) ?? []) - median(times.get(one) ?? []);
    console.log(`  ${one.name} : ${other.name}\n    ${difference.toFixed(1)} µs, p = ${p.toFixed(4)}, ${answer}`);
  }

  /** How likely ranks as different are when it is chance which probe was of which kind. */
  function chance(one: Kind, other: Kind): number {
    const [a = [], b = []] = [times.get(one), times.get(other)];
    const order = [...a.map((us) => ({ us, first: true })), ...b.map((us) => ({ us, first: false }))].sort(
      (x, y) => x.us - y.us,
    );
    const ranks = (first: boolean): number[] => order.flatMap((each, rank) => (each.first === first ? [rank] : []));
    return permutationTest(ranks(true), ranks(false), 'two_side', permutations);
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}

/** One connection, one request: from an address of its own, so that no penalty plays a part. */
async function probe({ user, key, signature }: Kind): Promise<{ us: number; answer: string }> {
  const client = await RawClient.connect(server.port, anySource());
  await client.requestAuthentication();
  // Made beforehand, and for every kind: this side's own signing takes longer than the answer, and leaves its traces in
  // caches.
  const right = ed25519Signer(key)(client.signedForLogin(user, 'ssh-ed25519', key.blob));
  const wrong = Buffer.from(right);
  wrong[wrong.length - 40] = 255 - (right[right.length - 40] ?? 0);
  const made = signature === 'none' ? undefined : signature === 'right' ? right : wrong;
  client.received.length = 0;
  const begun = performance.now();
  client.sendLogin(user, 'ssh-ed25519', key.blob, made);
  while (client.received.length === 0) {
    if (client.closed) throw new Error('the server closed the connection');
    await client.changes(5000);
  }
  const us = (performance.now() - begun) * 1000;
  const answer = client.received[0]?.toString('hex') ?? '';
  client.destroy();
  return { us, answer };
}

async function keyAt(path: string): Promise<TestKey> {
  const line = await readFile(`${path}.pub`, 'utf8');
  const [type = '', base64 = ''] = line.split(' ');
  return {
    path,
    line,
    type,
    blob: Buffer.from(base64, 'base64'),
    fingerprint: '',
    private: await readFile(path, 'utf8'),
  };
}

function shuffled<T>(list: readonly T[]): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
