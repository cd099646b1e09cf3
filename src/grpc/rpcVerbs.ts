/** The verb that each call of the ContainerService runs, for the docs. */
export const rpcVerbs: Readonly<Record<string, string>> = {
  CreateContainer: 'create',
  ListContainers: 'list',
  GetContainer: 'info',
  DeleteContainer: 'delete',
  StartContainer: 'start',
  StopContainer: 'stop',
  AddSSHKey: 'key add',
  RemoveSSHKey: 'key remove',
  GetMetrics: 'list',
  GetSystemInfo: 'info',
};
