/** Simulates zpool(8): the health of pools, and scrubs, which end at once. */
import { done, printed, refused, type Answer, type SimulatedProgram, type World } from '../program/answer.ts';
import type { PoolRecord } from '../state/state.ts';

/** Returns the pool of Incus that is a zpool. */
function poolNamed({ state }: World, zpool: string): PoolRecord | undefined {
  return state.pools.find(
    ({ name, driver, config }) =>
      driver === 'zfs' && (config['zfs.pool_name'] ?? config['source'] ?? name).split('/')[0] === zpool,
  );
}

/** Returns a time as asctime(3) writes it. */
function asctime(ms: number): string {
  const [, day = '', month = '', date = '', year = '', time = ''] =
    /^(\w{3}) (\w{3}) (\d\d) (\d{4}) ([\d:]{8})/.exec(new Date(ms).toString()) ?? [];
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`;
}

function status(name: string, { trouble, scrubbedAtMs }: PoolRecord, isBrief: boolean): Answer {
  if (isBrief && trouble === undefined) return printed(`pool '${name}' is healthy\n`);
  const scan =
    scrubbedAtMs === undefined
      ? []
      : [`  scan: scrub repaired 0B in 00:00:01 with 0 errors on ${asctime(scrubbedAtMs)}`];
  const lines = [
    `  pool: ${name}`,
    ` state: ${trouble === undefined ? 'ONLINE' : 'DEGRADED'}`,
    ...(trouble === undefined ? [] : [`status: ${trouble}`]),
    ...scan,
    'errors: No known data errors',
  ];
  return printed(`${lines.join('\n')}\n`);
}

export const zpool: SimulatedProgram = {
  changes: ([verb]) => verb === 'scrub',
  isLong: () => false,
  run(world, { args: [verb, ...rest] }) {
    const name = rest.at(-1) ?? '';
    const pool = poolNamed(world, name);
    if (verb !== 'status' && verb !== 'scrub') return refused(2, `unrecognized command '${verb ?? ''}'`);
    if (pool === undefined) return refused(1, `cannot open '${name}': no such pool`);
    if (verb === 'status') return status(name, pool, rest[0] === '-x');
    pool.scrubbedAtMs = world.nowMs;
    return done();
  },
};
