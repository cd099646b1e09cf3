/**
 * Core runs in a child process and is killed with SIGKILL before and after every command that changes the host. The
 * next process must leave the host fully changed or unchanged. Then that process is killed too, during its recovery.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { FaultMode } from '../../src/simulated/faults/faults.ts';
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';
import { freshWorld, newFolder, runCases, stateOf, tryAgain, wholeStates, type Whole } from './cases.ts';
import type { Errand } from './child.ts';
import { isBackground, scenarios, type Scenario } from './scenarios.ts';
import { difference } from '../support/world/snapshot.ts';
import { commandsOf, copyWorld, World } from '../support/world/world.ts';

const childPath = fileURLToPath(new URL('child.ts', import.meta.url));
/** Cache of compiled modules that the children share. */
const compileCache = newFolder();

/** Number of children that run in parallel. */
const atOnce = 3;

/** Runs a child to its end. Resolves to the signal that ended it. */
async function run(errand: Errand): Promise<NodeJS.Signals | null> {
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  const child = spawn(process.execPath, [childPath, JSON.stringify(errand)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const [, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return signal;
}

interface Case {
  readonly mode: FaultMode;
  readonly command: LoggedCommand;
}

/**
 * Returns the cases that kill core before and after each change, and before the first of consecutive queries. Between
 * two queries nothing new is on disk.
 */
function killsOf(commands: readonly LoggedCommand[], closely: Scenario['closely']): Case[] {
  return commands.flatMap((command, index): Case[] => {
    const kill = (...modes: FaultMode[]): Case[] => modes.map((mode) => ({ mode, command }));
    if (closely?.(command) === false) return isBackground(command) ? kill('kill-after') : [];
    if (!command.changes) return index > 0 && commands[index - 1]?.changes !== true ? [] : kill('kill-before');
    return kill('kill-before', 'kill-after', ...(isBackground(command) ? (['kill-late'] as const) : []));
  });
}

async function commandsFor(scenario: Scenario): Promise<LoggedCommand[]> {
  const world = await World.open(await freshWorld(scenario.from));
  await world.must(scenario.verb, scenario.input);
  await world.close();
  return commandsOf(world.folder);
}

/** Recovers a host after a process was killed, and returns the problems. */
async function checkAfter(folder: string, scenario: Scenario, whole: Whole): Promise<string[]> {
  const problems: string[] = [];
  const world = await World.open(folder);
  await world.recover();
  const state = stateOf(folder);
  if (![whole.before, whole.after, ...whole.between].includes(state))
    problems.push(`the recovery leaves\n${difference(whole.before, state)}`);
  problems.push(...(await world.faults()));
  problems.push(...(await tryAgain(world, scenario, whole)));
  problems.push(...(await world.faults()));
  await world.close();
  return problems;
}

async function killed(scenario: Scenario, { mode, command }: Case): Promise<string> {
  const folder = await freshWorld(scenario.from);
  const signal = await run({ folder, faults: [{ mode, call: command.n }], verb: scenario.verb, input: scenario.input });
  if (signal !== 'SIGKILL') throw new Error(`the child ended with ${signal ?? 'an exit code'}`);
  return folder;
}

function nameOf({ mode, command }: Case): string {
  return `${mode} of ${command.n}, ${command.program} ${command.args.slice(0, 4).join(' ')}`;
}

test.each(scenarios)(
  '$name: the host is fully changed or unchanged when core is killed before or after any change',
  async (scenario) => {
    const [whole, commands] = await Promise.all([wholeStates(scenario), commandsFor(scenario)]);
    const cases = killsOf(commands, scenario.closely);
    expect(cases.length).toBeGreaterThan(0);
    const check = async (item: Case): Promise<string[]> => checkAfter(await killed(scenario, item), scenario, whole);
    expect(await runCases(cases, nameOf, check, atOnce)).toEqual([]);
  },
);

/** The commands of create and delete at which an operation has most to undo. */
const cuts: readonly (readonly [string, (command: LoggedCommand) => boolean])[] = [
  ['create', ({ args }) => args[0] === 'start'],
  ['delete', ({ args }) => args[0] === 'rename'],
  ['delete --purge', ({ args }) => args[0] === 'delete'],
];

test.each(cuts)(
  '%s: the third process finishes the recovery when the second is killed before or after any change',
  async (name, isCut) => {
    const scenario = scenarios.find((candidate) => candidate.name === name);
    if (scenario === undefined) throw new Error(`no scenario "${name}"`);
    const [whole, commands] = await Promise.all([wholeStates(scenario), commandsFor(scenario)]);
    const command = commands.find(isCut);
    if (command === undefined) throw new Error(`${name} has no such command`);
    const torn = await killed(scenario, { mode: 'kill-before', command });

    const clean = await World.open(await copyWorld(torn, newFolder()));
    await clean.recover();
    await clean.close();
    const cases = killsOf(commandsOf(clean.folder), undefined);
    expect(cases.length).toBeGreaterThan(3);
    const check = async ({ mode, command: { n } }: Case): Promise<string[]> => {
      const folder = await copyWorld(torn, newFolder());
      const signal = await run({ folder, faults: [{ mode, call: n }], recover: true });
      return [
        ...(signal === 'SIGKILL' ? [] : ['the child was not killed']),
        ...(await checkAfter(folder, scenario, whole)),
      ];
    };
    expect(await runCases(cases, nameOf, check, atOnce)).toEqual([]);
  },
);
