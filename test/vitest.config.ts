import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const common = { environment: 'node', restoreMocks: true } as const;

/** Files in memory, where the system has such a folder: unit tests write thousands of small ones. */
const quickFolder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Files that take a minute or more. They run first, so that none of them runs alone at the end. */
const slowFiles = [
  'fuzz/keys',
  'faults/kill',
  'ssh/timeLimits',
  'ssh/clients',
  'ssh/limits',
  'ssh/floods',
  'ssh/compromisedFront',
  'ssh/lost',
  'host/faults',
  'host/copyFaults',
  'host/jumpHost',
  'host/service',
];

class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = slowFiles.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at === -1 ? slowFiles.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Tests that wait for servers and clients: more of them run at the same time, after the others. */
const waiting = { maxWorkers: 4, sequence: { groupOrder: 1 } } as const;

/** One project for each kind of test. `npm test` runs all but machine and bench (see run.mjs). */
export default defineConfig({
  test: {
    // A test machine may have two processors.
    maxWorkers: 2,
    sequence: { sequencer: SlowFilesFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 30_000,
          // The files share a worker's modules, which take longer to load than most files to run.
          isolate: false,
          env: { TMPDIR: quickFolder },
        },
      },
      // One part of the product with real programs, sockets and waits.
      { test: { ...common, name: 'parts', include: ['test/parts/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { ...common, name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          ...common,
          ...waiting,
          name: 'ssh',
          include: ['test/ssh/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...common,
          ...waiting,
          name: 'remote',
          include: ['test/remote/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...common,
          name: 'fuzz',
          include: ['test/fuzz/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...common,
          ...waiting,
          name: 'shell',
          include: ['test/shell/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...common,
          name: 'terraform',
          include: ['test/terraform/**/*.test.ts'],
          globalSetup: ['test/terraform/setUp.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      { test: { ...common, name: 'faults', include: ['test/faults/**/*.test.ts'], testTimeout: 600_000 } },
      // Virtual machines: an hour and more, run by hand (npm run test:machine).
      { test: { ...common, name: 'machine', include: ['test/machine/**/*.test.ts'], maxWorkers: 1 } },
      // Not a test: figures, run by hand (npm run bench:host).
      { test: { ...common, name: 'bench', include: ['test/bench/**/*.bench.ts'] } },
      {
        test: {
          ...common,
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 900_000,
          // Each file has an Incus of its own.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
