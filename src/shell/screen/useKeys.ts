/** Keys and pastes, from Ink to whatever has them at the moment. */
import { useInput, usePaste } from 'ink';
import { keysOf, type Keyed } from '../composer/keys.ts';

/** `onError` is told what went wrong with one key. */
export function useKeys(keyed: () => Keyed, onError: (error: unknown) => void): void {
  const safely = (act: () => void): void => {
    // What is thrown here would end the whole server, not this session.
    try {
      act();
    } catch (error) {
      onError(error);
    }
  };
  useInput((input, key) =>
    safely(() => {
      const keys = keysOf(input, key);
      if ('paste' in keys) keyed().paste(keys.paste);
      else for (const each of keys) keyed().key(each);
    }),
  );
  usePaste((text) => safely(() => keyed().paste(text)));
}
