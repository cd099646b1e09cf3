import { useInput, usePaste } from 'ink';
import { keysOf, type Keyed } from '../composer/keys.ts';

/** Passes keys and pastes from Ink to the current receiver. `onError` receives exceptions from handling them. */
export function useKeys(keyed: () => Keyed, onError: (error: unknown) => void): void {
  const safely = (act: () => void): void => {
    // An exception here would end the whole server, not only this shell.
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
      else for (const each of keys) keyed().key(keys.length === 1 ? each : { ...each, withOthers: true });
    }),
  );
  usePaste((text) => safely(() => keyed().paste(text)));
}
