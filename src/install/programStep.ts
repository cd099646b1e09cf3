/** The step that installs a release as the service, and starts it. */
import { differingFiles } from './program/systemFiles.ts';
import { releaseInUse, releaseName } from './program/programFiles.ts';
import type { Release } from './program/release.ts';
import { isInPlace, startRelease } from './program/replacement.ts';
import { isServiceActive } from './program/service.ts';
import type { Say, Step } from './step/step.ts';

export function programStep(release: Release, say: Say): Step {
  /** Returns what differs from a service that runs this release. */
  const survey = async (): Promise<string[]> => {
    const before = await releaseInUse('/');
    if (before !== releaseName(release))
      return [
        before === undefined
          ? `Install version ${release.version} as a service, and start it`
          : `Replace the installed program (${before}) by version ${release.version}, and restart the service`,
      ];
    const differing = await differingFiles('/', release.folder);
    if (differing.length > 0) return [`Write ${differing.join(', ')}, and restart the service`];
    if (!(await isServiceActive())) return ['Start the service'];
    return (await isInPlace(release)) ? [] : ['Restart the service, which was not found to work with this version'];
  };
  return {
    survey,
    apply: async () => {
      if ((await survey()).length > 0) await startRelease(release, say);
    },
  };
}
