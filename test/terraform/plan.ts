/** What a plan or a state of Terraform has, as `terraform show -json` prints it. */
import type { Workspace } from './workspace.ts';

export interface Resource {
  readonly address: string;
  readonly type: string;
  readonly index?: string | number;
  readonly values: Readonly<Record<string, unknown>>;
}

interface Module {
  readonly resources?: readonly Resource[];
  readonly child_modules?: readonly Module[];
}

interface Shown {
  readonly outputs: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly root_module: Module;
}

export interface Contents {
  readonly resources: readonly Resource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface Planned extends Contents {
  /** Address and actions of each change, without reads and what stays. */
  readonly changes: readonly string[];
}

export async function plan(workspace: Workspace, folder: string, args: readonly string[]): Promise<Planned> {
  await workspace.mustRun(folder, ['plan', '-no-color', '-out=plan.bin', ...args]);
  const text = await workspace.mustRun(folder, ['show', '-json', 'plan.bin']);
  const document = JSON.parse(text) as {
    planned_values: Shown;
    resource_changes?: readonly { address: string; change: { actions: readonly string[] } }[];
  };
  return {
    ...contents(document.planned_values),
    changes: (document.resource_changes ?? [])
      .filter(({ change }) => !['no-op', 'read'].includes(change.actions.join()))
      .map(({ address, change }) => `${change.actions.join(' and ')} ${address}`),
  };
}

/** Makes what the files describe, with the stub, and resolves with what there is. */
export async function apply(workspace: Workspace, folder: string, args: readonly string[]): Promise<Contents> {
  await workspace.mustRun(folder, ['apply', '-no-color', '-auto-approve', ...args]);
  return contents((JSON.parse(await workspace.mustRun(folder, ['show', '-json'])) as { values: Shown }).values);
}

function contents({ root_module: root, outputs }: Shown): Contents {
  return {
    resources: resourcesIn(root),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
  };
}

function resourcesIn({ resources = [], child_modules: children = [] }: Module): readonly Resource[] {
  return [...resources, ...children.flatMap(resourcesIn)];
}

export function ofType({ resources }: Contents, type: string): readonly Resource[] {
  return resources.filter((each) => each.type === type);
}

/** Returns the value at a path of names and positions in what Terraform shows. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Readonly<Record<string | number, unknown>> | undefined)?.[key],
    value,
  );
}
