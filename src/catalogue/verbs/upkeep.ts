/** The verbs that maintain the host: `reconcile`, `doctor` and those about prepared images. */
import * as z from 'zod';
import type { Diagnosis, ImageBuildResult, ImageInfo, Reconciliation, Severity } from '../../domain/results/upkeep.ts';
import { durationInWords } from '../../domain/values/duration.ts';
import { imageReference, wholeNumber } from '../declaration/schema.ts';
import { plural } from '../../domain/text.ts';
import { showSize, showTime, yesNo } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Tone, ViewContext } from '../declaration/view.ts';
import { changeEnds, readEnds } from './shared.ts';

export const reconcile = defineVerb({
  name: 'reconcile',
  summary: 'Compare accounts, keys and isolation with Incus, and repair them',
  description: [
    'Incus is the source of truth; jump accounts and their keys are derived from it. Without --apply nothing is changed. A failed query to Incus never causes a deletion, and accounts that containarium did not create are never touched.',
    'A container that an earlier version created lacks configuration that keeps it apart from the others. --apply sets what is missing; what an admin has set in Incus stays. User ids of its own take effect when the container restarts, and are shown as restart-pending until then.',
  ],
  examples: [
    { line: 'reconcile', says: 'shows the differences and changes nothing' },
    { line: 'reconcile --apply', says: 'repairs the differences' },
  ],
  access: { manage: 'operator' },
  planned: (input) => (input['dryRun'] === true ? input : { ...input, apply: true }),
  changes: true,
  danger: 'none',
  parameters: [
    { kind: 'option', name: 'apply', long: ['apply'], summary: 'repair the differences' },
    { kind: 'option', name: 'dryRun', long: ['dry-run'], summary: 'only show the differences (default)' },
  ],
  input: () =>
    z
      .strictObject({ apply: z.boolean().optional(), dryRun: z.boolean().optional() })
      .refine((input) => !(input.apply && input.dryRun), { message: '--apply and --dry-run cannot be combined' }),
  view: (result: Reconciliation) => [
    {
      kind: 'table',
      columns: [{ title: 'KIND' }, { title: 'TARGET' }, { title: 'DETAIL' }, { title: 'FIX' }, { title: 'DONE' }],
      rows: result.differences.map((d) => [d.kind, d.target, d.detail, d.fix ?? 'needs a decision', yesNo(d.fixed)]),
      empty: '',
    },
    {
      kind: 'text',
      tone: result.differences.every((d) => d.fixed) ? 'good' : 'warn',
      text:
        result.differences.length === 0
          ? `No differences: ${plural(result.checked.containers, 'container')}, ${plural(result.checked.accounts, 'jump account')}, ${plural(result.checked.keyFiles, 'key file')} checked`
          : `${plural(result.differences.length, 'difference')}, ${result.differences.filter((d) => d.fixed).length} repaired`,
    },
  ],
  rows: (result) => ({
    columns: ['kind', 'target', 'detail', 'fix', 'fixed'],
    rows: result.differences.map((d) => [d.kind, d.target, d.detail, d.fix, d.fixed]),
  }),
  ends: { ...readEnds, partial: 'differences remain' },
  exit: (result) => (result.differences.every((d) => d.fixed) ? 'ok' : 'partial'),
});

const tones: Record<Severity, Tone> = { ok: 'good', warning: 'warn', problem: 'bad' };

export const doctor = defineVerb({
  name: 'doctor',
  summary: 'Check the host: Incus, storage, network, sshd, keys, limits, journal',
  description: [
    'Each check reports what it found and what to do about it. Over ssh, the algorithms of your own connection are checked as well. The exit code is 1 if there is a problem and 0 if there are only warnings, so that a cron job can rely on it.',
    'With --for nothing else is checked but whether the host has room for so many containers, those that it has among them: addresses, ids, disk, memory and what else binds them, that which binds first at the top. Disk and memory are estimates from what the present containers use.',
  ],
  examples: [
    { line: 'doctor', says: 'runs all checks' },
    { line: 'doctor --for 250', says: 'shows whether 250 containers would fit, and what would bind first' },
  ],
  access: { manage: 'viewer' },
  changes: false,
  helpsRepair: true,
  danger: 'none',
  parameters: [
    {
      kind: 'option',
      name: 'containers',
      long: ['for'],
      value: 'count',
      summary: 'check whether there is room for this many containers',
    },
  ],
  input: () => z.strictObject({ containers: wholeNumber(1, 100_000).optional() }),
  view: (result: Diagnosis): Block[] => [
    {
      kind: 'table',
      columns: [{ title: 'CHECK' }, { title: 'RESULT' }, { title: 'DETAIL' }],
      rows: result.checks.map((check) => [
        check.name,
        check.severity,
        check.next === null ? check.detail : `${check.detail} → ${check.next}`,
      ]),
      empty: '',
    },
    {
      kind: 'text',
      tone: tones[result.worst],
      text:
        result.worst === 'ok'
          ? 'No problems found'
          : `${plural(result.checks.filter((c) => c.severity === 'problem').length, 'problem')}, ${plural(result.checks.filter((c) => c.severity === 'warning').length, 'warning')}`,
    },
  ],
  rows: (result) => ({
    columns: ['check', 'severity', 'detail', 'next'],
    rows: result.checks.map((c) => [c.name, c.severity, c.detail, c.next]),
  }),
  ends: { failed: 'a check found a problem; with warnings alone the exit code is 0' },
  exit: (result) => (result.worst === 'problem' ? 'failed' : 'ok'),
});

function imageTable(images: readonly ImageInfo[], context: ViewContext): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'ALIAS' },
      { title: 'BASE' },
      { title: 'SIZE' },
      { title: 'BUILT' },
      { title: 'CURRENT' },
      { title: 'FINGERPRINT' },
    ],
    rows: images.map((image) => [
      image.alias,
      image.base,
      showSize(image.sizeBytes),
      showTime(image.createdAt, context),
      image.current ? 'Yes' : 'No',
      image.fingerprint.slice(0, 12),
    ]),
    empty: 'No prepared image yet: the first create builds it',
  };
}

export const imageBuild = defineVerb({
  name: 'image build',
  summary: 'Build the prepared image that containers are cloned from',
  description: [
    'Starts the base image once, installs the packages that the configuration file lists (sshd, sudo, Docker, git, curl, vim and htop), and saves the result as a local image. The first create does this automatically. Existing containers are not changed.',
  ],
  examples: [
    { line: 'image build', says: 'from the base image in the configuration file' },
    { line: 'image build --image images:debian/12', says: 'from another base image' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  isCancellable: true,
  target: 'image',
  parameters: [
    {
      kind: 'option',
      name: 'image',
      long: ['image'],
      value: 'image',
      summary: 'base image or local alias',
      complete: 'images',
    },
  ],
  input: () => z.strictObject({ image: imageReference.optional() }),
  ends: {
    failed: 'the build failed; everything created for it was removed',
    partial: changeEnds.partial,
    timeout: changeEnds.timeout,
    conflict: 'an earlier build of this image has not been undone yet',
  },
  view: (result: ImageBuildResult, context) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Image ${result.image.alias} built in ${durationInWords(result.elapsedMs)}`,
    },
    imageTable([result.image], context),
  ],
});

export const imageList = defineVerb({
  name: 'image list',
  aliases: ['image ls'],
  summary: 'List prepared images',
  examples: [{ line: 'image list', says: 'the images that containers are cloned from' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: () => z.strictObject({}),
  ends: readEnds,
  view: (result: { images: readonly ImageInfo[] }, context) => [imageTable(result.images, context)],
  rows: (result) => ({
    columns: ['alias', 'base', 'size_bytes', 'created_at', 'current', 'fingerprint'],
    rows: result.images.map((i) => [i.alias, i.base, i.sizeBytes, i.createdAt, i.current, i.fingerprint]),
  }),
});
