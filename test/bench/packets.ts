/**
 * Measures the cost of encrypting and decrypting a packet as large as the answer to a keystroke, without and with patch
 * 10 of ssh2 (src/front/patches), which passes key objects to Node.js: `npm run bench:packets`. Only the ratios count.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyOfSsh2 } from '../support/patchedSsh2.ts';
import { cipherPair, type CipherPair } from '../support/ssh2Ciphers.ts';
import { percentile } from './shell/figures.ts';

const payload = randomBytes(80);
const packets = 5000;
const rounds = 9;

function microseconds(pair: CipherPair): number {
  const begun = performance.now();
  for (let i = 0; i < packets; i++) pair.pass(payload);
  return ((performance.now() - begun) * 1000) / packets;
}

const folder = await mkdtemp(join(tmpdir(), 'packets-bench-'));
try {
  const [patched, plain] = [await copyOfSsh2(folder), await copyOfSsh2(folder, 'cipher-keys')];
  for (const name of ['chacha20-poly1305@openssh.com', 'aes256-gcm@openssh.com', 'aes128-gcm@openssh.com']) {
    const pairs = [await cipherPair(plain, name), await cipherPair(patched, name)] as const;
    // Both take turns, so that other load on the machine affects them equally.
    const times = Array.from({ length: rounds }, () => pairs.map(microseconds));
    const [without = NaN, with10 = NaN] = [0, 1].map((which) =>
      percentile(
        times.map((pair) => pair[which] ?? NaN),
        50,
      ),
    );
    console.log(
      `${name.padEnd(30)} ${without.toFixed(1)} µs a packet, patched ${with10.toFixed(1)} µs: ${(without / with10).toFixed(1)} times as fast`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
