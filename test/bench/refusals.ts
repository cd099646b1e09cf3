/**
 * Tests whether the duration of a rejected login reveals anything: `npm run bench:refusals`, or with `-- --probes 1000`
 * for more probes. Each probe is a client on the loopback interface, where the network adds little noise, that requests
 * one login. Kinds of probes are interleaved in random order.
 *
 * Prints the median time from the request to the answer for each kind. For each pair that must be indistinguishable, it
 * prints whether the answers are equal, the difference of the medians, and the probability of such a difference by
 * chance, from a permutation test of the ranks, which is robust against the long tail of times. Exits with 1 if a
 * probability is below 1 % divided by the number of pairs.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, permutationTest } from 'simple-statistics';
import { anySource } from '../support/front.ts';
import { makeKey, type TestKey } from '../support/keys.ts';
import { ed25519Signer, RawClient } from '../support/rawClient.ts';
import { startServer } from './shell/server.ts';
import { shuffled } from './shuffled.ts';

const { values: options } = parseArgs({ options: { probes: { type: 'string', default: '300' } } });
const probes = Number(options.probes);
if (!(Number.isInteger(probes) && probes >= 20)) throw new Error('--probes takes an integer of at least 20');

/** Number of discarded probes: code is compiled when it runs for the first time. */
const warmUpProbes = 20;
const significance = 0.01;
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
    [offers.manage, offers.invitation, 'the server hashes any login name that has the form of an invitation'],
    [
      signed.manage,
      signed.adminAtManage,
      'the server accepts the offer of a known key (RFC 4252, section 7), and verifies its signature',
    ],
  ];

  const times = new Map<Kind, number[]>(kinds.map((each) => [each, []]));
  const answers = new Map<Kind, Set<string>>(kinds.map((each) => [each, new Set()]));
  for (let i = 0; i < warmUpProbes + probes; i++) {
    for (const each of shuffled(kinds)) {
      const { us, answer } = await probe(each);
      answers.get(each)?.add(answer);
      if (i >= warmUpProbes) times.get(each)?.push(us);
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
  console.log(`pairs that must not differ (p < ${(significance / pairs.length).toFixed(4)} counts as a difference)`);
  for (const [one, other] of pairs) {
    const p = chance(one, other);
    const isSame = [...(answers.get(one) ?? [])].join() === [...(answers.get(other) ?? [])].join();
    if (!isSame || p < significance / pairs.length) differ++;
    show(one, other, p, isSame ? 'same answer' : 'DIFFERENT ANSWER');
  }
  console.log('pairs that may differ, because the difference reveals nothing');
  for (const [one, other, why] of mayDiffer) show(one, other, chance(one, other), why);
  console.log(differ === 0 ? '✓ times and answers reveal nothing' : `✗ ${differ} pairs differ`);
  process.exitCode = differ === 0 ? 0 : 1;

  function show(one: Kind, other: Kind, p: number, answer: string): void {
    const difference = median(times.get(other) ?? []) - median(times.get(one) ?? []);
    console.log(`  ${one.name} : ${other.name}\n    ${difference.toFixed(1)} µs, p = ${p.toFixed(4)}, ${answer}`);
  }

  /** Returns the probability that ranks differ this much if the kinds of the probes are assigned at random. */
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

/** Sends one login request on a new connection, from an address of its own to avoid penalties. */
async function probe({ user, key, signature }: Kind): Promise<{ us: number; answer: string }> {
  const client = await RawClient.connect(server.port, anySource());
  await client.requestAuthentication();
  // Both signatures are made beforehand for every kind, because signing takes longer than the answer and affects
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
