/** The results of the verbs that the typed service calls. */
import type { HostInfo } from '../../domain/results/about.ts';
import type { CreateResult, DeleteResult, StateChange } from '../../domain/results/changes.ts';
import type { ContainerDetails, ContainerList } from '../../domain/results/container.ts';
import type { KeyChange } from '../../domain/results/keys.ts';

export interface ChangeResults {
  readonly create: CreateResult;
  readonly list: ContainerList;
  /** One of both, by the input. */
  readonly info: { readonly container: ContainerDetails; readonly hostInfo: HostInfo };
  readonly delete: DeleteResult;
  readonly start: StateChange;
  readonly stop: StateChange;
  readonly 'key add': KeyChange;
  readonly 'key remove': KeyChange;
}
