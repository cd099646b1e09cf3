/**
 * Sentences in place of the errors of Incus, which name its Go functions and no remedy. The original stays in the
 * details of the failure (messages of incus 6.0).
 */
import { Failure, type FailureText } from '../../domain/failure.ts';

type Sentence = Pick<FailureText, 'why' | 'next'>;

const known: readonly (readonly [RegExp, Sentence])[] = [
  [
    /no space left on device|out of space|disk quota exceeded|not enough (?:free )?space/i,
    { why: 'there is no space left for it', next: '"doctor" shows what is full' },
  ],
  [
    /no such host|name resolution/i,
    { why: 'the name of a server that it needs cannot be resolved', next: 'check the name servers of this host' },
  ],
  [
    /i\/o timeout|network is unreachable|no route to host|TLS handshake timeout/i,
    { why: 'a server that it needs cannot be reached', next: 'check the network of this host' },
  ],
  [/\b(?:Instance|Container) not found$/im, { why: 'Incus no longer has this container', next: 'see "list"' }],
  [/Instance is protected/i, { why: 'the container is protected from it', next: '"unprotect <user>" allows it' }],
  [/\bforkstart\b/, { why: 'the container does not start', next: '"logs <user>" shows its console' }],
  [/already exists/i, { why: 'Incus already has one of this name', next: 'see "reconcile"' }],
];

/** The Go functions through which an error came: `Failed instance creation: Failed creating instance record: `. */
const wrapping = /^(?:Failed [^:\n]{1,80}: )+/;

/** Returns a failure of Incus with a sentence as its reason, and any other failure as it is. */
export function inSentences(failure: Failure): Failure {
  const { code, details, why, next } = failure;
  if (code !== 'program-failed' || (details?.['program'] ?? 'incus') !== 'incus') return failure;
  const original = details?.['stderr'];
  // A reason that does not come from there is one of ours.
  if (typeof original !== 'string' || !original.includes(why)) return failure;
  const [, sentence] = known.find(([message]) => message.test(original)) ?? [];
  const said = why.replace(wrapping, '');
  const text = {
    ...(sentence ?? { why: said === '' ? 'Incus gives no reason' : `Incus says: ${said}`, next: 'see "doctor"' }),
    ...(next === undefined ? {} : { next }),
  };
  return new Failure(code, { ...failure.toData(), ...text }, failure.cause);
}
