/** The live list. */
import type { Conversation } from '../session/conversation.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function openListView(_terminal: Terminal, _conversation: Conversation): Promise<void> {
  return Promise.resolve();
}
