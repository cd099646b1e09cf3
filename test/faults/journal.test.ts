/**
 * The journal's disk fails at each record of an operation, once or from then on, or core dies before, during or after
 * the write. Core must begin nothing that is not recorded, and must undo what it has begun even if that cannot be
 * recorded.
 */
import { cpSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import type { JournalFiles } from '../../src/journal/files.ts';
import {
  freshWorld,
  newFolder,
  runCases,
  describeOutcome,
  stateOf,
  tryAgain,
  wholeStates,
  type Whole,
} from './cases.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { difference } from '../support/world/snapshot.ts';
import { commandsOf, quickFiles, World } from '../support/world/world.ts';

type Trouble = 'none' | 'fail' | 'cut before' | 'cut in the middle' | 'cut after';
type Fault = 'fails once at' | 'fails from then on at' | 'is cut before' | 'is cut in the middle of' | 'is cut after';

interface Case {
  readonly fault: Fault;
  /** Number of the journal's write, counted from 1. */
  readonly write: number;
}

const allFaults: readonly Fault[] = [
  'fails once at',
  'fails from then on at',
  'is cut before',
  'is cut in the middle of',
  'is cut after',
];

/** Real files whose writes can fail, or never return, as if the process had died. */
class TroubledFiles implements JournalFiles {
  writes = 0;
  readonly #trouble: (write: number) => Trouble;
  readonly #onCut: () => void;
  readonly remove = quickFiles.remove;
  readonly syncFolder = quickFiles.syncFolder;

  constructor(trouble: (write: number) => Trouble, onCut: () => void = () => undefined) {
    this.#trouble = trouble;
    this.#onCut = onCut;
  }

  async open(path: string, how: 'create' | 'existing'): ReturnType<JournalFiles['open']> {
    const file = await quickFiles.open(path, how);
    const cut = async (): Promise<never> => {
      this.#onCut();
      await file.close();
      return new Promise(() => undefined);
    };
    return {
      ...file,
      write: async (bytes, position) => {
        this.writes += 1;
        const trouble = this.#trouble(this.writes);
        if (trouble === 'fail') throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        if (trouble === 'cut before') return cut();
        const count = await file.write(
          trouble === 'cut in the middle' ? bytes.subarray(0, bytes.length / 2) : bytes,
          position,
        );
        return trouble === 'none' ? count : cut();
      },
    };
  }
}

/** Copies a folder as a crash would leave it: without the lock, which does not outlive its process. */
function copyNow(from: string): string {
  for (;;) {
    const to = newFolder();
    try {
      cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('writer.lock') });
      return to;
    } catch (error) {
      // head.json.new was renamed to head.json during the copy, so that the copy is inconsistent.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function writesOf(scenario: Scenario): Promise<number> {
  const files = new TroubledFiles(() => 'none');
  const world = await World.open(await freshWorld(scenario.from), { files });
  await world.must(scenario.verb, scenario.input);
  await world.close();
  return files.writes;
}

function unlessWhole(whole: Whole, folder: string, when: string): string[] {
  const state = stateOf(folder);
  return [whole.before, whole.after, ...whole.between].includes(state)
    ? []
    : [`${when} the host is in no valid state\n${difference(whole.before, state)}`];
}

/** Opens the folder as the next process, and returns the problems that it finds. */
async function checkNext(folder: string, scenario: Scenario, whole: Whole): Promise<string[]> {
  const next = await World.open(folder);
  await next.recover();
  const problems = [
    ...unlessWhole(whole, folder, 'after the next start'),
    ...(await next.faults()),
    ...(await tryAgain(next, scenario, whole)),
    ...(await next.faults()),
  ];
  await next.close();
  return problems;
}

/**
 * Runs a case until its write occurs. One write may carry several records, so that a run may have fewer writes than
 * another: then `check` resolves to undefined.
 */
async function untilReached(check: () => Promise<string[] | undefined>): Promise<string[]> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const problems = await check();
    if (problems !== undefined) return problems;
  }
  return ['the write did not occur'];
}

async function checkFailing(scenario: Scenario, whole: Whole, { fault, write }: Case): Promise<string[] | undefined> {
  const folder = await freshWorld(scenario.from);
  let healed = false;
  const files = new TroubledFiles((n) =>
    !healed && (fault === 'fails once at' ? n === write : n >= write) ? 'fail' : 'none',
  );
  const world = await World.open(folder, { files });
  const outcome = await world.call(scenario.verb, scenario.input);
  if (files.writes < write) return world.close().then(() => undefined);
  const problems = unlessWhole(whole, folder, 'at once');
  // A record that is missing after the point of no return is made up for by the next one.
  if (outcome.ok && (fault !== 'fails once at' || stateOf(folder) !== whole.after))
    problems.push('the call answers ok although the journal could not be written');
  if (!outcome.ok && !['journal-unwritable', 'partial'].includes(outcome.failure.code))
    problems.push(`the call answers ${describeOutcome(outcome)}`);
  // The first two records are the call and the operation. Without them the host must not change.
  if (write <= 2 && scenario.between === undefined && commandsOf(folder).some(({ changes }) => changes))
    problems.push('the host changed without a record');
  healed = true;
  const crashed = copyNow(folder);
  await world.recover();
  problems.push(...unlessWhole(whole, folder, 'with the journal back'), ...(await world.faults()));
  await world.close();
  return [...problems, ...(await checkNext(crashed, scenario, whole))];
}

async function checkCut(scenario: Scenario, whole: Whole, { fault, write }: Case): Promise<string[] | undefined> {
  const folder = await freshWorld(scenario.from);
  const trouble =
    fault === 'is cut before' ? 'cut before' : fault === 'is cut after' ? 'cut after' : 'cut in the middle';
  const cut = Promise.withResolvers<string>();
  const world = await World.open(folder, {
    files: new TroubledFiles(
      (n) => (n === write ? trouble : 'none'),
      () => cut.resolve(copyNow(folder)),
    ),
  });
  // A process that dies never answers.
  const left = await Promise.race([cut.promise, world.call(scenario.verb, scenario.input).then(() => undefined)]);
  if (left === undefined) return world.close().then(() => undefined);
  return checkNext(left, scenario, whole);
}

const chosen = scenarios.filter(({ name }) =>
  [
    'create',
    'delete',
    'delete --purge',
    'trash restore',
    'resize',
    'key replace',
    'restart',
    'image build',
    'backup create',
    'backup restore',
    'backup restore of a container that is gone',
  ].includes(name),
);

test.each(chosen)(
  '$name: the host is fully changed or unchanged when the journal fails or core dies at any record',
  async (scenario) => {
    const [whole, writes] = await Promise.all([wholeStates(scenario), writesOf(scenario)]);
    expect(writes).toBeGreaterThan(4);
    const cases = Array.from({ length: writes }, (_, index) =>
      allFaults.map((fault): Case => ({ fault, write: index + 1 })),
    ).flat();
    const nameOf = ({ fault, write }: Case): string => `the journal ${fault} write ${write}`;
    const check = (item: Case): Promise<string[]> =>
      untilReached(() => (item.fault.startsWith('fails') ? checkFailing : checkCut)(scenario, whole, item));
    expect(await runCases(cases, nameOf, check)).toEqual([]);
  },
);
