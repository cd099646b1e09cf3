/**
 * A command fails, and all later commands fail too, so that the operation cannot be undone. The answer must say so, the
 * operation must stay open and be reported, its container must be locked, and a later attempt by the same process or
 * the next one must finish it.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Diagnosis, Reconciliation } from '../../src/domain/results/upkeep.ts';
import type { FaultMode, FaultPlan } from '../../src/simulated/faults/faults.ts';
import type { LoggedCommand } from '../../src/simulated/faults/commandLog.ts';
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
import { commandsOf, copyWorld, faultsPath, World } from '../support/world/world.ts';

interface Case {
  readonly mode: FaultMode;
  readonly command: LoggedCommand;
}

const chosen = scenarios.filter(({ name }) =>
  ['create', 'delete', 'resize', 'key replace', 'stop', 'image build', 'backup restore', 'backup verify'].includes(
    name,
  ),
);

async function changesOf(scenario: Scenario): Promise<LoggedCommand[]> {
  const world = await World.open(await freshWorld(scenario.from));
  await world.must(scenario.verb, scenario.input);
  await world.close();
  return commandsOf(world.folder).filter(({ changes }) => changes);
}

/** Changes that take over from an operation that waits; the lock is shown with another one. */
const takingOver: readonly string[] = ['delete', 'stop', 'key remove', 'key replace'];

/** Returns the problems with the report of an unfinished operation and with the lock on its target. */
async function checkReported(world: World, scenario: Scenario): Promise<string[]> {
  const problems: string[] = [];
  const again = takingOver.includes(scenario.verb)
    ? await world.call('restart', { user: scenario.input['user'] })
    : await world.call(scenario.verb, scenario.input);
  if (again.ok || again.failure.code !== 'busy')
    problems.push(`meanwhile a change answers ${describeOutcome(again)}, not busy`);
  const { differences } = (await world.must('reconcile')) as Reconciliation;
  if (!differences.some(({ kind }) => kind === 'operation-unfinished'))
    problems.push('reconcile does not report the operation');
  const { checks } = (await world.must('doctor')) as Diagnosis;
  if (checks.find(({ name }) => name === 'operations')?.severity === 'ok')
    problems.push('doctor does not report the operation');
  return problems;
}

async function checkEnded(world: World, scenario: Scenario, whole: Whole): Promise<string[]> {
  await world.recover();
  const state = stateOf(world.folder);
  return [
    ...([whole.before, whole.after].includes(state) ? [] : [`the recovery leaves\n${difference(whole.before, state)}`]),
    ...(await world.faults()),
    ...(await tryAgain(world, scenario, whole)),
    ...(await world.faults()),
  ];
}

async function check(scenario: Scenario, whole: Whole, { mode, command }: Case): Promise<string[]> {
  const folder = await freshWorld(scenario.from);
  const everything: FaultPlan = [{ mode: 'down', call: command.n + 1, repeat: true }];
  writeFileSync(faultsPath(folder), JSON.stringify(everything));
  const world = await World.open(folder, { faults: [{ mode, call: command.n }] });
  const outcome = await world.call(scenario.verb, scenario.input);
  const open = world.operations.unfinished();
  const problems: string[] = [];
  if (outcome.ok) {
    if (scenario.told?.(command) !== true) problems.push('the call answers ok');
  } else if (open.length > 0 && outcome.failure.code !== 'partial')
    problems.push(`the call answers ${describeOutcome(outcome)}, not partial`);
  // A recovery while the host is still down must change nothing.
  const torn = stateOf(folder);
  await world.recover();
  if (stateOf(folder) !== torn) problems.push('a recovery while the host is down changes the host');
  rmSync(faultsPath(folder));
  if (open.length > 0) problems.push(...(await checkReported(world, scenario)));
  await world.journal.close();

  const copy = await copyWorld(folder, newFolder());
  const next = await World.open(copy);
  if (next.operations.open().length !== open.length) problems.push('the next process does not know the operation');
  problems.push(...(await checkEnded(next, scenario, whole)));
  await next.close();
  return problems;
}

async function checkSameProcess(scenario: Scenario, whole: Whole, { mode, command }: Case): Promise<string[]> {
  const folder = await freshWorld(scenario.from);
  writeFileSync(faultsPath(folder), JSON.stringify([{ mode: 'down', call: command.n + 1, repeat: true }]));
  const world = await World.open(folder, { faults: [{ mode, call: command.n }] });
  await world.call(scenario.verb, scenario.input);
  rmSync(faultsPath(folder));
  const problems = await checkEnded(world, scenario, whole);
  await world.close();
  return problems;
}

test.each(chosen)(
  '$name: an operation that cannot be undone stays open, is reported, and is finished later',
  async (scenario) => {
    const [whole, changes] = await Promise.all([wholeStates(scenario), changesOf(scenario)]);
    const cases = changes.map((command, index): Case => ({
      mode: index % 2 === 0 ? 'fail-after' : 'hang-after',
      command,
    }));
    const nameOf = ({ mode, command }: Case): string =>
      `${mode} of ${command.n}, ${command.program} ${command.args.slice(0, 3).join(' ')}`;
    const found = await runCases(cases, nameOf, async (item) => [
      ...(await check(scenario, whole, item)),
      ...(await checkSameProcess(scenario, whole, item)),
    ]);
    expect(found).toEqual([]);
  },
);
