/** What a person is told when a shell opens. */
import type { Actor } from '../../domain/access/actor.ts';
import { alertNotes } from '../../service/alerts/notes.ts';
import { expiryNote } from '../../service/certificates/expiry.ts';
import type { ServiceContext } from '../../service/context.ts';
import { endingNotes, scheduleNotes, type Ending } from '../../service/jobs/notes.ts';

export function notesFor(actor: Actor, service: ServiceContext, endings: readonly Ending[]): readonly string[] {
  const now = service.now();
  const certificate = actor.entryPoint === 'self' ? undefined : expiryNote(service.certificates, actor.name, now);
  return [
    ...(certificate === undefined ? [] : [certificate]),
    ...endingNotes(actor, endings, service.settings, now),
    ...scheduleNotes(actor, service.schedule.list()),
    ...alertNotes(actor, service.alerts.open),
  ];
}
