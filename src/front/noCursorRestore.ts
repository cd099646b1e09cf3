/**
 * Keeps Ink from writing to the standard error of this process, which is a log. Ink shows the cursor of each shell's
 * terminal itself. But it hides the cursor through cli-cursor, which loads restore-cursor, which has the process write
 * "show the cursor" to its own terminal at exit. Neither has an option for it, so import this before Ink.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'restore-cursor'
      ? { url: 'data:text/javascript,export default () => undefined', shortCircuit: true }
      : next(specifier, context),
});
