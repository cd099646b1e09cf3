/** The ZFS pool of a data disk, and where its datasets are mounted. */

export const poolName = 'containarium';

/** Incus makes this dataset its storage pool. */
export const incusPoolSource = `${poolName}/pool`;

/** Datasets with a mount point of their own: home of the server, and database of Incus. */
export const mountedDatasets = [
  { dataset: `${poolName}/home`, path: '/var/lib/containarium' },
  { dataset: `${poolName}/incus`, path: '/var/lib/incus' },
] as const;
