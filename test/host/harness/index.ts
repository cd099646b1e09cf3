/** The harness, for tests: `import { ensurePackages, startIncus } from './harness/index.ts'`. */
export { removeAccounts, testGroup } from './accounts.ts';
export { ensureBaseImage } from './baseImage.ts';
export type { BaseImage } from './baseImage.ts';
export { addressOf, startIncus } from './incus.ts';
export type { RunningIncus, StartOptions } from './incus.ts';
export { ensurePackages } from './packages.ts';
export { waitUntil } from './processes.ts';
export { sweep } from './remains.ts';
export { freePort, startSshd } from './sshd.ts';
export type { RunningSshd, SshdOptions } from './sshd.ts';
export { testedReleases } from './testedReleases.ts';
export { openTestFolder } from './testFolder.ts';
export type { TestFolder } from './testFolder.ts';
export { outputOf } from './output.ts';
