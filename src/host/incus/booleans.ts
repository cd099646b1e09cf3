/** The words for yes in the configuration of Incus, which keeps them as they were written. */
const yes: readonly (string | undefined)[] = ['true', '1', 'yes', 'on'];

/** Reports whether Incus takes a value of its configuration for true (incus 6.0, shared/util: IsTrue). */
export function isTrue(value: string | undefined): boolean {
  return yes.includes(value?.toLowerCase());
}
