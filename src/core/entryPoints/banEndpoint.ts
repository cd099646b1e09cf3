/**
 * core's end of bans on the front's connection: sends changes to the front, and receives the penalties that it begins.
 */
import type { MessageConnection } from 'vscode-jsonrpc/node';
import type { Penalty } from '../../domain/access/ban.ts';
import { notify } from '../../protocol/connection.ts';
import { begunPenalty, messages } from '../../protocol/messages.ts';
import type { BanStore } from '../../service/access/banStore.ts';

export function serveBans(connection: MessageConnection, bans: BanStore, onPenalty: (penalty: Penalty) => void): void {
  const unfollow = bans.follow({
    bans: (all) => notify(connection, messages.bans, [...all]),
    lifted: (source) => notify(connection, messages.penaltyLifted, { source }),
  });
  connection.onDispose(unfollow);
  connection.onNotification(messages.penalised, (raw) => {
    const parsed = begunPenalty.safeParse(raw);
    const penalty = parsed.success ? bans.penalised(parsed.data) : undefined;
    if (penalty !== undefined) onPenalty(penalty);
  });
}
