/** Compares plans with what calls really do, and worlds before and after a plan. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { basename } from 'node:path/posix';
import { expect } from 'vitest';
import type { Actor } from '../../../src/domain/access/actor.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { Plan, PlannedCommand } from '../../../src/domain/results/plan.ts';
import { changesOf } from './hosts.ts';
import { hostStateOf, type World } from './world.ts';

type Input = Readonly<Record<string, unknown>>;

/** Returns the files of a world, but the journal and the log of commands, which have a record of every call. */
function filesOf({ folder }: World): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    paths
      .map((path) => [relative(folder, path), readFileSync(path, 'utf8')] as const)
      .filter(([path]) => !path.startsWith('journal/') && path !== 'simulated-commands.jsonl'),
  );
}

/** Runs `act`. Resolves to what it resolves to if the world is byte for byte as before, with nothing left over. */
export async function unchanged<T>(world: World, act: () => Promise<T>): Promise<T> {
  const [files, state, changes] = [filesOf(world), hostStateOf(world.folder), changesOf(world)];
  const result = await act();
  expect(filesOf(world)).toEqual(files);
  expect(hostStateOf(world.folder)).toEqual(state);
  expect(changesOf(world)).toEqual(changes);
  expect(world.operations.open()).toEqual([]);
  return result;
}

/** Returns the plan of a call, which must change nothing. */
export async function planned(world: World, verb: string, input: Input = {}, actor?: Actor): Promise<Plan> {
  const outcome = await unchanged(world, () => world.plan(verb, input, actor));
  if (!outcome.ok) throw outcome.failure;
  return outcome.result as Plan;
}

/** Returns the failure of a plan, which must change nothing. */
export async function unplanned(world: World, verb: string, input: Input = {}, actor?: Actor): Promise<Failure> {
  const outcome = await unchanged(world, () => world.plan(verb, input, actor));
  if (outcome.ok) return expect.fail('there is a plan');
  return outcome.failure;
}

/** Returns the commands of a plan as the log of the simulated host has them, without what differs in each call. */
export function commandsOfPlan({ steps }: Plan): string[] {
  return steps.flatMap(({ commands }) => commands.flatMap(logged)).map(timeless);
}

/** Returns what undoes a plan as a whole: the undo of each step, the newest first. */
export function undoOfPlan({ steps }: Plan): string[] {
  return steps
    .toReversed()
    .flatMap(({ undo }) => (undo ?? []).flatMap(logged))
    .map(timeless);
}

/** Returns what a plan does in the places of backups, without what differs in each call: `store …/manifest.json`. */
export function transfersOfPlan({ steps }: Plan): string[] {
  return steps.flatMap(({ commands }) => commands).flatMap(transfer);
}

/** Returns what undoes that, the newest first. */
export function undoneTransfersOfPlan({ steps }: Plan): string[] {
  return steps
    .toReversed()
    .flatMap(({ undo }) => undo ?? [])
    .flatMap(transfer);
}

function transfer(command: PlannedCommand): string[] {
  return command.kind === 'store' || command.kind === 'delete' ? [timeless(`${command.kind} ${command.what}`)] : [];
}

/** Returns the line of a command in that log, which has nothing of the places of backups. */
function logged(command: PlannedCommand): string[] {
  switch (command.kind) {
    case 'program':
      return [command.argv.join(' ')];
    case 'import':
      return [`incus-streams import ${command.what}`];
    case 'store':
    case 'delete':
      return [];
    default:
      return [`jump-keys ${command.kind} ${basename(command.path)}`];
  }
}

/** Replaces ids, times and keys, which are others in each call. Two names of one second differ by a number. */
export function timeless(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME')
    .replace(/\b[0-9A-HJKMNP-TV-Z]{26}\b/gi, 'ID')
    .replace(/\d{8}-\d{6}(-[0-9a-z]{4}|-\d)?/g, 'TIME')
    .replace(/ssh-ed25519 [\w+/=]+/g, 'KEY');
}
