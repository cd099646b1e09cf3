/** The check of `doctor` for AppArmor, which confines containers beside their user namespaces. */
import { isIncusProfile, kernelHasAppArmor, labelOf, securityModules } from '../../host/appArmor.ts';
import type { HostContext } from '../instances/context.ts';
import { ownerOfInstance } from '../instances/metadata.ts';
import { ok, problem, warning, type Outcome } from './outcome.ts';

/** @param root where /proc and /sys are */
export async function checkAppArmor({ host, incus }: HostContext, signal: AbortSignal, root = '/'): Promise<Outcome> {
  if (host.simulated) return ok('not used by the simulated host');
  if (!(await kernelHasAppArmor(root))) {
    const modules = await securityModules(root);
    return warning(
      `the kernel has no AppArmor${modules === undefined ? '' : ` (security modules: ${modules.join(', ')})`}: containers are confined by user namespaces only`,
      'boot a kernel with AppArmor: the kernels of Debian and Ubuntu have it, unless their command line turns it off',
    );
  }
  let confined = 0;
  const free: string[] = [];
  for (const instance of await incus.instancesWithState(signal)) {
    const pid = instance.state?.pid ?? 0;
    if (ownerOfInstance(instance) === undefined || pid <= 0) continue;
    const label = await labelOf(pid, root);
    // The container has stopped since Incus was asked.
    if (label === undefined) continue;
    if (isIncusProfile(label, instance.name)) confined += 1;
    else free.push(instance.name);
  }
  if (free.length > 0)
    return problem(
      `AppArmor is on, but does not confine ${free.join(', ')}`,
      'install the package apparmor, run "systemctl restart incus", and restart these containers',
    );
  return confined === 0
    ? ok('AppArmor is on; no container runs, so none could be examined')
    : ok(`AppArmor confines all ${confined} running containers`);
}
