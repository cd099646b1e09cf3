/**
 * The journal's disk fails at each record of an operation, once or from then on, or core is cut before, in the middle
 * of or after the write. Nothing is begun that is not recorded; what was begun is taken back although that cannot be
 * recorded either.
 */
import { cpSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import type { JournalFiles } from '../../src/journal/files.ts';
import { freshWorld, newFolder, runCases, stateOf, told, tryAgain, wholeStates, type Whole } from './cases.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { difference } from './snapshot.ts';
import { commandsOf, quickFiles, World } from './world.ts';

type Trouble = 'none' | 'fail' | 'cut before' | 'cut in the middle' | 'cut after';
type Way = 'fails once' | 'fails from then on' | 'is cut before' | 'is cut in the middle of' | 'is cut after';

interface Case {
  readonly way: Way;
  /** Which write of the journal, counted from 1. */
  readonly write: number;
}

const ways: readonly Way[] = [
  'fails once',
  'fails from then on',
  'is cut before',
  'is cut in the middle of',
  'is cut after',
];

/** Real files whose writes can be made to fail, or never to come back, as seen by a process that is gone. */
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

/** A copy of what is on disk at this moment, without the lock, which does not outlive its process. */
function copyNow(from: string): string {
  for (;;) {
    const to = newFolder();
    try {
      cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('writer.lock') });
      return to;
    } catch (error) {
      // head.json.new became head.json in the middle: such a copy is of no one moment.
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
    : [`${when} it is neither\n${difference(whole.before, state)}`];
}

/** What the next process finds and makes of it. */
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
 * Records that come at the same time are one write, so that one run may have fewer writes than another: a case whose
 * write did not come (`check` gives undefined) is tried anew.
 */
async function untilReached(check: () => Promise<string[] | undefined>): Promise<string[]> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const problems = await check();
    if (problems !== undefined) return problems;
  }
  return ['its write never came'];
}

async function checkFailing(scenario: Scenario, whole: Whole, { way, write }: Case): Promise<string[] | undefined> {
  const folder = await freshWorld(scenario.from);
  let healed = false;
  const files = new TroubledFiles((n) =>
    !healed && (way === 'fails once' ? n === write : n >= write) ? 'fail' : 'none',
  );
  const world = await World.open(folder, { files });
  const outcome = await world.call(scenario.verb, scenario.input);
  if (files.writes < write) return world.close().then(() => undefined);
  const problems = unlessWhole(whole, folder, 'at once');
  // One missing record of what cannot be undone any more is made good by the next.
  if (outcome.ok && (way !== 'fails once' || stateOf(folder) !== whole.after))
    problems.push('it answers ok although the journal could not be written');
  if (!outcome.ok && !['journal-unwritable', 'partial'].includes(outcome.failure.code))
    problems.push(`it answers ${told(outcome)}`);
  // The first two records are the call and the operation: without them nothing at all may happen.
  if (write <= 2 && scenario.between === undefined && commandsOf(folder).some(({ changes }) => changes))
    problems.push('it has changed something');
  healed = true;
  const crashed = copyNow(folder);
  await world.recover();
  problems.push(...unlessWhole(whole, folder, 'with the journal back'), ...(await world.faults()));
  await world.close();
  return [...problems, ...(await checkNext(crashed, scenario, whole))];
}

async function checkCut(scenario: Scenario, whole: Whole, { way, write }: Case): Promise<string[] | undefined> {
  const folder = await freshWorld(scenario.from);
  const trouble = way === 'is cut before' ? 'cut before' : way === 'is cut after' ? 'cut after' : 'cut in the middle';
  const cut = Promise.withResolvers<string>();
  const world = await World.open(folder, {
    files: new TroubledFiles(
      (n) => (n === write ? trouble : 'none'),
      () => cut.resolve(copyNow(folder)),
    ),
  });
  // One that is cut never answers.
  const left = await Promise.race([cut.promise, world.call(scenario.verb, scenario.input).then(() => undefined)]);
  if (left === undefined) return world.close().then(() => undefined);
  return checkNext(left, scenario, whole);
}

const chosen = scenarios.filter(({ name }) =>
  ['create', 'delete', 'resize', 'key replace', 'restart', 'image build'].includes(name),
);

test.each(chosen)(
  '$name: the journal fails at each record, or core is cut there, and the host is wholly changed or wholly as before',
  async (scenario) => {
    const [whole, writes] = await Promise.all([wholeStates(scenario), writesOf(scenario)]);
    expect(writes).toBeGreaterThan(4);
    const cases = Array.from({ length: writes }, (_, index) =>
      ways.map((way): Case => ({ way, write: index + 1 })),
    ).flat();
    const nameOf = ({ way, write }: Case): string => `the journal ${way} write ${write}`;
    const check = (item: Case): Promise<string[]> =>
      untilReached(() => (item.way.startsWith('fails') ? checkFailing : checkCut)(scenario, whole, item));
    expect(await runCases(cases, nameOf, check)).toEqual([]);
  },
);
