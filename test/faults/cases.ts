/** Runs many small cases: makes each world once and copies it, runs some cases in parallel, and collects problems. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';
import { freshState } from '../../src/simulated/state/state.ts';
import { hostBefore, hostOf, makers, type Scenario, type WorldName } from './scenarios.ts';
import { snapshot } from '../support/world/snapshot.ts';
import { backupsPath, copyWorld, hostStateOf, statePath, World, type Outcome } from '../support/world/world.ts';

const root = mkdtempSync(join(tmpdir(), 'containarium-faults-'));
let folders = 0;
let ran = 0;

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
  console.log(`fault cases: ${ran}`);
}, 60_000);

export function newFolder(): string {
  folders += 1;
  return join(root, String(folders));
}

const templates = new Map<WorldName, Promise<string>>();

async function make(name: WorldName): Promise<string> {
  const folder = newFolder();
  const before = freshState(Date.now());
  hostBefore[name]?.(before);
  mkdirSync(folder);
  writeFileSync(statePath(folder), JSON.stringify(before));
  const world = await World.open(folder);
  await makers[name](world);
  await world.close();
  const edit = hostOf[name];
  if (edit !== undefined) {
    const state = hostStateOf(world.folder);
    edit(state);
    writeFileSync(statePath(world.folder), JSON.stringify(state));
  }
  return world.folder;
}

/** Returns a fresh copy of a world. */
export async function freshWorld(name: WorldName): Promise<string> {
  const made = templates.get(name) ?? make(name);
  templates.set(name, made);
  return copyWorld(await made, newFolder());
}

/** Returns the state of the host and the files of its backups. A second backup has the same files as the first. */
export function stateOf(folder: string): string {
  const kept = readdirSync(backupsPath(folder), { recursive: true, encoding: 'utf8' });
  const files = new Set(kept.map((path) => path.replace(/\d{8}-\d{6}-[0-9a-z]{4}/, 'ID')));
  return `${snapshot(hostStateOf(folder))}\n${[...files].sort().join('\n')}`;
}

/** The states in which a scenario may leave the host. */
export interface Whole {
  readonly before: string;
  readonly after: string;
  readonly between: readonly string[];
}

export async function wholeStates(scenario: Scenario): Promise<Whole> {
  const folder = await freshWorld(scenario.from);
  const before = stateOf(folder);
  const world = await World.open(folder);
  const between: string[] = [];
  for (const [verb, input] of scenario.between ?? []) {
    await world.must(verb, input);
    between.push(stateOf(folder));
  }
  await world.must(scenario.verb, scenario.input);
  await world.close();
  return { before, after: stateOf(folder), between };
}

/** Number of cases that run in parallel. They wait for files more than they compute. */
const parallelCases = 6;

/** Runs all cases and returns their problems, each with the name of its case. */
export async function runCases<T extends object>(
  cases: readonly T[],
  nameOf: (item: T) => string,
  run: (item: T) => Promise<readonly string[]>,
  atOnce = parallelCases,
): Promise<string[]> {
  const left = [...cases];
  const problems: string[] = [];
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      ran += 1;
      const found = await run(item).catch((error: unknown) => [
        error instanceof Error ? (error.stack ?? error.message) : String(error),
      ]);
      const name = nameOf(item);
      problems.push(...found.map((problem) => `${name}: ${problem}`));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return problems;
}

export function describeOutcome(outcome: Outcome): string {
  return outcome.ok ? 'ok' : `${outcome.failure.code} (${outcome.failure.what}: ${outcome.failure.why})`;
}

/** Repairs what a verb has told of instead of failing, if the command is one of those. */
export async function repairTold(world: World, { told }: Scenario, command: LoggedCommand): Promise<void> {
  if (told?.(command) === true) await world.must('reconcile', { apply: true });
}

/** Calls the verb again without faults. Returns the problems with the answer and with the state of the host. */
export async function tryAgain(world: World, scenario: Scenario, whole: Whole): Promise<string[]> {
  const wasDone = stateOf(world.folder) === whole.after && whole.before !== whole.after;
  if (wasDone && scenario.again === null) return [];
  const outcome = await world.call(scenario.verb, scenario.input);
  const expected = wasDone ? scenario.again : 'ok';
  const answer = outcome.ok ? 'ok' : outcome.failure.code;
  const problems = answer === expected ? [] : [`the second call answers ${describeOutcome(outcome)}, not ${expected}`];
  return stateOf(world.folder) === whole.after ? problems : [...problems, 'the second call leaves an unexpected state'];
}
