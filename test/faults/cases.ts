/** Running many small cases: worlds made once and copied, a few at a time, problems gathered, cases counted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { makers, type Scenario, type WorldName } from './scenarios.ts';
import { snapshot } from './snapshot.ts';
import { copyWorld, hostStateOf, World, type Outcome } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'containarium-faults-'));
let folders = 0;
let ran = 0;

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
  console.log(`fault cases: ${ran}`);
});

export function newFolder(): string {
  folders += 1;
  return join(root, String(folders));
}

const templates = new Map<WorldName, Promise<string>>();

async function make(name: WorldName): Promise<string> {
  const world = await World.open(newFolder());
  await makers[name](world);
  await world.close();
  return world.folder;
}

/** A fresh copy of a world. */
export async function freshWorld(name: WorldName): Promise<string> {
  const made = templates.get(name) ?? make(name);
  templates.set(name, made);
  return copyWorld(await made, newFolder());
}

export function stateOf(folder: string): string {
  return snapshot(hostStateOf(folder));
}

/** The states in which a host may be found after a scenario, however it went. */
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

/** How many cases run at the same time: they wait for files more than they compute. */
const parallel = 6;

/** Runs all cases; each resolves to the problems it found. Returns them all, each with the name of its case. */
export async function runCases<T extends object>(
  cases: readonly T[],
  nameOf: (item: T) => string,
  run: (item: T) => Promise<readonly string[]>,
  atOnce = parallel,
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

export function told(outcome: Outcome): string {
  return outcome.ok ? 'ok' : `${outcome.failure.code} (${outcome.failure.what}: ${outcome.failure.why})`;
}

/**
 * Calls the verb once more, on a whole host without faults, and says what is wrong with the answer or the host after
 * it.
 */
export async function tryAgain(world: World, scenario: Scenario, whole: Whole): Promise<string[]> {
  const wasDone = stateOf(world.folder) === whole.after && whole.before !== whole.after;
  const outcome = await world.call(scenario.verb, scenario.input);
  const expected = wasDone ? scenario.again : 'ok';
  const answer = outcome.ok ? 'ok' : outcome.failure.code;
  const problems = answer === expected ? [] : [`called again it answers ${told(outcome)}, not ${expected}`];
  return stateOf(world.folder) === whole.after
    ? problems
    : [...problems, 'called again it leaves another host than it should'];
}
