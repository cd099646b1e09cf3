import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../../src/domain/failure.ts';
import type { Incus } from '../../../../src/host/incus/incus.ts';
import { incusBy } from '../../../support/incus.ts';
import { memoryInUse } from '../../../../src/host/incus/memoryMetrics.ts';

const labels = (name: string): string => `{name="${name}",project="default",type="container"}`;
const lines = (name: string, figures: Record<string, string>): string[] =>
  Object.entries(figures).map(([series, value]) => `incus_memory_${series}_bytes${labels(name)} ${value}`);
const text = (...all: readonly string[]): string => [...all, '# EOF', ''].join('\n');

/** Metrics of Incus 6.0.4 for a container with a file of 200 MiB, and one of 100 MiB in a tmpfs. */
const observed = {
  Active_anon: '32768',
  Active_file: '1.2275712e+07',
  Active: '1.2308480e+07',
  Cached: '3.4498e+08',
  Inactive_anon: '1.1018240e+08',
  Inactive_file: '2.27840000e+08',
  MemAvailable: '5.27224832e+08',
  MemFree: '1.82321152e+08',
  MemTotal: '5.36870912e+08',
  RSS: '5.36576e+06',
  Shmem: '1.048576e+08',
};

describe('memoryInUse', () => {
  it('excludes the pages of files, but not those of a tmpfs', () => {
    const inUse = memoryInUse(
      text(
        '# HELP incus_memory_MemTotal_bytes The amount of used memory.',
        '# TYPE incus_memory_MemTotal_bytes gauge',
        ...lines('alice-container', observed),
      ),
    );
    expect(inUse).toEqual(new Map([['alice-container', 536870912 - 182321152 - 12275712 - 227840000]]));
  });

  it('keeps containers apart, in any order of lines and labels', () => {
    const [first, ...rest] = lines('a', { MemTotal: '1000', MemFree: '400', Active_file: '100', Inactive_file: '200' });
    const other = lines('b', { MemTotal: '500', MemFree: '0', Active_file: '0', Inactive_file: '0' }).map((line) =>
      line.replace(/\{(.*),(project.*)\}/, '{$2,$1}'),
    );
    expect(memoryInUse(text(...rest, ...other, first ?? ''))).toEqual(
      new Map([
        ['a', 300],
        ['b', 500],
      ]),
    );
  });

  it('leaves out only containers with missing or impossible figures', () => {
    const whole = lines('whole', { MemTotal: '1000', MemFree: '400', Active_file: '100', Inactive_file: '200' });
    const part = lines('part', { MemTotal: '1000', MemFree: '400', Active_file: '100' });
    // An unsigned number that underflowed.
    const wrapped = lines('wrapped', {
      MemTotal: '1000',
      MemFree: '1.8446744073709552e+19',
      Active_file: '0',
      Inactive_file: '0',
    });
    expect(memoryInUse(text(...part, ...whole, ...wrapped))).toEqual(new Map([['whole', 300]]));
  });

  it('is never negative, even if the figures were not taken at the same time', () => {
    expect(
      memoryInUse(text(...lines('a', { MemTotal: '100', MemFree: '90', Active_file: '10', Inactive_file: '10' }))),
    ).toEqual(new Map([['a', 0]]));
    expect(
      memoryInUse(text(...lines('a', { MemTotal: '100', MemFree: '-10', Active_file: '5', Inactive_file: '5' }))),
    ).toEqual(new Map([['a', 100]]));
  });

  it('is empty if no container runs', () => {
    expect(memoryInUse(text('incus_operations_total 0'))).toEqual(new Map());
  });

  it('ignores the names that a container gave its network interfaces', () => {
    const card = (device: string): string =>
      `incus_network_receive_bytes_total{device="${device}",name="c1",project="default",type="container"} 0`;
    const whole = lines('a', { MemTotal: '1000', MemFree: '400', Active_file: '100', Inactive_file: '200' });
    expect(
      memoryInUse(text(card('a"}_1'), card('b{\\'), card('incus_memory_Me'), ...whole, card('\u00a0\u202e#EOF'))),
    ).toEqual(new Map([['a', 300]]));
  });

  it.each([
    ['nothing', ''],
    [
      'an error document',
      '{"type":"error","error_code":423,"error":"Metrics are currently being built by another request"}\n',
    ],
    ['a truncated text', lines('a', { MemTotal: '1000', MemFree: '4' }).join('\n')],
    ['a text that continues after its end mark', text('# EOF', 'incus_operations_total 0').replace(/# EOF\n$/, '')],
    ['an invalid value', text('incus_memory_MemFree_bytes{name="a"} NaN')],
    ['an endless value', text('incus_memory_MemFree_bytes{name="a"} 1e+999')],
    ['a hexadecimal value', text('incus_memory_MemFree_bytes{name="a"} 0x10')],
    ['no value', text('incus_memory_MemFree_bytes{name="a"}')],
    ['no labels', text('incus_memory_MemFree_bytes 7')],
    ['no name', text('incus_memory_MemFree_bytes{project="default"} 7')],
    ['a name that no instance can have', text('incus_memory_MemFree_bytes{name="a/b"} 7')],
    ['nested labels', text('incus_memory_MemFree_bytes{name="a",x="{name="b"}"} 7')],
    ['two samples in one line', text('incus_memory_MemFree_bytes{name="a"} 7 incus_memory_MemFree_bytes{name="b"} 7')],
  ])('refuses %s', (_what, input) => {
    expect(() => memoryInUse(input)).toThrow(expect.objectContaining({ code: 'unexpected-output' }));
  });

  it('parses or refuses any input, in linear time', () => {
    const pieces = fc.constantFrom(
      'incus_memory_MemTotal_bytes',
      '{',
      '}',
      'name="',
      '"',
      ',',
      ' ',
      '\n',
      '7',
      'e+07',
      '\\',
      '# EOF',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        try {
          for (const bytes of memoryInUse(text(parts.join(''))).values()) expect(bytes).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(isFailure(error, 'unexpected-output')).toBe(true);
        }
      }),
    );
    const long = `incus_memory_MemFree_bytes{${'name="a",'.repeat(200_000)}`;
    const before = process.threadCpuUsage();
    expect(() => memoryInUse(text(long))).toThrow();
    expect(memoryInUse(text(`${' '.repeat(2_000_000)}x`, `incus_network${'{'.repeat(2_000_000)}`))).toEqual(new Map());
    // CPU time, because other processes run on this machine too.
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(2000);
  });

  it('fails if the query fails, and never returns an empty result', async () => {
    const answers = (stdout: string): Incus =>
      incusBy({ run: () => Promise.resolve({ stdout, stderr: '', exitCode: 0 }) });
    await expect(answers('').memoryInUse()).rejects.toMatchObject({ code: 'unexpected-output' });
    const down = incusBy({ run: () => Promise.reject(new Error('down')) });
    await expect(down.memoryInUse()).rejects.toThrow('down');
  });
});
