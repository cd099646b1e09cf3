/**
 * Kernel limits of the host that containers share, although each has user ids of its own. They are so high that the
 * memory limit and the process limit of a container bind first; what one container takes is then its own.
 *
 * Measured with containers of their own ids (incus 6.0.4, kernel 6.18): inotify instances and AIO contexts that one
 * container takes are missing in all others and on the host; keys and pipe pages are not. The memory is what Incus's
 * memory limit counts.
 */

interface KernelLimit {
  /** The value that containers need. */
  readonly value: number;
  /** Why, as documentation of the setting. */
  readonly why: string;
}

const maxInt = 2_147_483_647;

/** The limits by their names in sysctl(8). */
export const kernelLimits = {
  // The kernel counts them for the owner of each user namespace as well, and root owns those of all containers
  // (Documentation/admin-guide/sysctl/user.rst). An instance takes 1 KiB of the memory limit.
  'fs.inotify.max_user_instances': {
    value: maxInt,
    why: 'inotify instances of all containers together; each counts against the memory of its container.',
  },
  'fs.inotify.max_user_watches': {
    value: maxInt,
    why: 'inotify watches of all containers together; each counts against the memory of its container.',
  },
  // Counted in the same way (fanotify(7)).
  'fs.fanotify.max_user_groups': { value: maxInt, why: 'fanotify groups of all containers together.' },
  'fs.fanotify.max_user_marks': { value: maxInt, why: 'fanotify marks of all containers together.' },
  // One count for the machine (Documentation/admin-guide/sysctl/fs.rst). An event takes 110 bytes of the memory limit.
  'fs.aio-max-nr': {
    value: 2 ** 36,
    why: 'Events of asynchronous I/O of the whole machine; each counts against the memory of its container.',
  },
  // An open file takes 256 bytes or more of the memory limit. systemd raises it further at boot.
  'fs.file-max': { value: 10 ** 12, why: 'Open files of the whole machine.' },
  // The largest value of 64 bits, as in systemd's 50-pid-max.conf: 2000 containers with 2000 processes each.
  'kernel.pid_max': {
    value: 4_194_304,
    why: 'Process ids of the whole machine. `limits.processes` limits a container.',
  },
  'kernel.threads-max': {
    value: 4_194_304,
    why: 'Threads of the whole machine. `limits.processes` limits a container.',
  },
  // Counted per user id, so a container has it for itself. Every Docker container in it has a session keyring.
  'kernel.keys.maxkeys': { value: 2000, why: 'Keys in the kernel of each user id.' },
  'kernel.keys.maxbytes': { value: 2_000_000, why: 'Bytes of the keys in the kernel of each user id.' },
  // Not higher: an open pair takes 6 KiB of the memory limit, and 24 KiB that no limit counts. The kernel keeps 1024
  // of them for the host (kernel.pty.reserve).
  'kernel.pty.max': {
    value: 65_536,
    why: 'Pseudoterminals of the whole machine. Each takes about 24 KiB that no memory limit counts, so a far higher value lets one container use up the memory of the host.',
  },
  // 100 fragments a second of one container, which stay for 30 s, are 7 MiB.
  'net.ipv4.ipfrag_high_thresh': {
    value: 128 * 1024 * 1024,
    why: 'Bytes of fragments that the host puts together, of all containers and its own.',
  },
  // "Production setup" in the Incus documentation: with more neighbours than this, new ones are not reached.
  'net.ipv4.neigh.default.gc_thresh3': { value: 8192, why: 'Entries of the ARP table of the host.' },
} as const satisfies Record<string, KernelLimit>;

/** The wanted value of each limit. */
export type KernelLimits = Readonly<Record<keyof typeof kernelLimits, number>>;
