/** What is set now for the parameters of a call, for the form that asks for new values. Read by another verb. */
import type { Container, ContainerList } from '../domain/results/container.ts';
import { formatExact } from '../domain/values/size.ts';
import type { AnyVerb, VerbName } from './catalogue.ts';
import { targetOf } from './declaration/verb.ts';
import { isAboutSeveral, selectedAmong } from './selection.ts';

type Input = Readonly<Record<string, unknown>>;

/** Values by parameter, as they are typed. A parameter that is not set, or not the same for all, is left out. */
export type Values = Readonly<Record<string, string>>;

/** What is known of the values that a form asks for. */
export interface KnownValues {
  /** What is set now. */
  readonly now?: Values;
  /** What is taken for a field that stays empty, or what a new container gets. */
  readonly defaults?: Values;
}

/** Returns the values of the containers that a call names. Rejects if the container is not there. */
export async function presentValues(
  verb: AnyVerb,
  input: Input,
  read: (verb: VerbName, input: Input) => Promise<unknown>,
): Promise<Values> {
  if (verb.name !== 'resize') return {};
  if (isAboutSeveral(verb, input)) {
    const { containers } = (await read('list', {})) as ContainerList;
    return sizesOf(selectedAmong(containers, input));
  }
  const user = targetOf(verb, input);
  if (user === null) return {};
  const { container } = (await read('info', { user })) as { readonly container: Container };
  return sizesOf([container]);
}

/** The limits of a container that `resize` changes. */
type Sizes = Pick<Container, 'cpus' | 'memoryLimitBytes' | 'diskQuotaBytes' | 'processLimit'>;

/** Returns the limits that all containers share. */
function sizesOf(containers: readonly Sizes[]): Values {
  const texts = containers.map(({ cpus, memoryLimitBytes, diskQuotaBytes, processLimit }) => ({
    cpu: cpus === null ? null : String(cpus),
    memory: memoryLimitBytes === null ? null : formatExact(memoryLimitBytes),
    disk: diskQuotaBytes === null ? null : formatExact(diskQuotaBytes),
    processes: processLimit === null ? null : String(processLimit),
  }));
  const names = ['cpu', 'memory', 'disk', 'processes'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const [first, ...others] = [...new Set(texts.map((each) => each[name]))];
      return first === undefined || first === null || others.length > 0 ? [] : [[name, first] as const];
    }),
  );
}
