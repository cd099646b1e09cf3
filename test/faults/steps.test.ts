/**
 * Every command of every verb that changes the host goes wrong in every way, one at a time: afterwards the host is
 * wholly changed or wholly as before, at once and after a restart, and nothing is left over.
 */
import { expect, test } from 'vitest';
import type { FaultMode } from '../../src/simulated/faults/faults.ts';
import { freshWorld, runCases, stateOf, told, tryAgain, wholeStates, type Whole } from './cases.ts';
import { isBackground, scenarios, type Scenario } from './scenarios.ts';
import { difference } from './snapshot.ts';
import { commandsOf, World } from './world.ts';
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';

interface Case {
  readonly mode: FaultMode;
  readonly command: LoggedCommand;
}

/** The ways in which a command can go wrong that differ from each other for it. */
function modesFor(command: LoggedCommand, closely: boolean): FaultMode[] {
  const { program, changes } = command;
  if (!closely) return [changes ? 'hang-after' : 'fail-before'];
  if (!changes) return program === 'incus' ? ['fail-before', 'hang', 'down'] : ['fail-before', 'hang'];
  const modes: FaultMode[] = ['fail-before', 'fail-after', 'hang', 'hang-after'];
  if (program === 'incus') modes.push('down');
  if (isBackground(command)) modes.push('fail-late', 'hang-late');
  if (['useradd', 'userdel', 'groupadd'].includes(program)) modes.push('lock');
  return modes;
}

async function casesOf(scenario: Scenario): Promise<Case[]> {
  const folder = await freshWorld(scenario.from);
  const world = await World.open(folder);
  await world.must(scenario.verb, scenario.input);
  await world.close();
  return commandsOf(folder).flatMap((command) =>
    modesFor(command, scenario.closely?.(command) ?? true).map((mode) => ({ mode, command })),
  );
}

async function check(scenario: Scenario, whole: Whole, { mode, command }: Case): Promise<string[]> {
  const problems: string[] = [];
  const folder = await freshWorld(scenario.from);
  const world = await World.open(folder, { faults: [{ mode, call: command.n }] });
  const outcome = await world.call(scenario.verb, scenario.input);
  const state = stateOf(folder);
  const wholes = outcome.ok ? [whole.after] : [whole.before, ...whole.between];
  if (!wholes.includes(state)) {
    problems.push(
      `it answers ${told(outcome)} and leaves\n${difference(outcome.ok ? whole.after : whole.before, state)}`,
    );
  }
  if (!outcome.ok && outcome.failure.code === 'partial') problems.push(`it answers ${told(outcome)}`);
  problems.push(...(await world.faults()));
  await world.close();

  const later = await World.open(folder);
  await later.recover();
  if (stateOf(folder) !== state) problems.push('a restart changes the host once more');
  problems.push(...(await later.faults()));
  problems.push(...(await tryAgain(later, scenario, whole)));
  problems.push(...(await later.faults()));
  await later.close();
  return problems;
}

test.each(scenarios)(
  '$name: each command fails, hangs or works on alone, and the host is wholly changed or wholly as before',
  async (scenario) => {
    const [whole, cases] = await Promise.all([wholeStates(scenario), casesOf(scenario)]);
    expect(cases.length).toBeGreaterThan(0);
    const nameOf = ({ mode, command }: Case): string =>
      `${mode} of ${command.n}, ${command.program} ${command.args.slice(0, 4).join(' ')}`;
    expect(await runCases(cases, nameOf, (item) => check(scenario, whole, item))).toEqual([]);
  },
);
