/**
 * Every command of every verb that changes the host fails in every way, one at a time. The host must be fully changed
 * or unchanged, at once and after a restart, with nothing left over.
 */
import { expect, test } from 'vitest';
import type { FaultMode } from '../../src/simulated/faults/faults.ts';
import {
  freshWorld,
  runCases,
  describeOutcome,
  repairTold,
  stateOf,
  tryAgain,
  wholeStates,
  type Whole,
} from './cases.ts';
import { isBackground, scenarios, type Scenario } from './scenarios.ts';
import { difference } from '../support/world/snapshot.ts';
import { commandsOf, World } from '../support/world/world.ts';
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';

interface Case {
  readonly mode: FaultMode;
  readonly command: LoggedCommand;
}

/** Returns the fault modes that differ for a command. */
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
  await repairTold(world, scenario, command);
  const state = stateOf(folder);
  const wholes = outcome.ok ? [whole.after] : [whole.before, ...whole.between];
  if (!wholes.includes(state)) {
    problems.push(
      `the call answers ${describeOutcome(outcome)} and leaves\n${difference(outcome.ok ? whole.after : whole.before, state)}`,
    );
  }
  if (!outcome.ok && outcome.failure.code === 'partial') problems.push(`the call answers ${describeOutcome(outcome)}`);
  problems.push(...(await world.faults()));
  await world.close();

  const later = await World.open(folder);
  await later.recover();
  if (stateOf(folder) !== state) problems.push('a restart changes the host again');
  problems.push(...(await later.faults()));
  problems.push(...(await tryAgain(later, scenario, whole)));
  problems.push(...(await later.faults()));
  await later.close();
  return problems;
}

test.each(scenarios)(
  '$name: the host is fully changed or unchanged when any command fails, hangs, or carries on without its client',
  async (scenario) => {
    const [whole, cases] = await Promise.all([wholeStates(scenario), casesOf(scenario)]);
    expect(cases.length).toBeGreaterThan(0);
    const nameOf = ({ mode, command }: Case): string =>
      `${mode} of ${command.n}, ${command.program} ${command.args.slice(0, 4).join(' ')}`;
    expect(await runCases(cases, nameOf, (item) => check(scenario, whole, item))).toEqual([]);
  },
);
