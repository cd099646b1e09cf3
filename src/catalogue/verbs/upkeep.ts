/** Looking after the host: reconcile, doctor, the prepared image. */
import { z } from 'zod';
import type { Diagnosis, ImageBuildResult, ImageInfo, Reconciliation, Severity } from '../../domain/results/upkeep.ts';
import { imageReference } from '../declaration/schema.ts';
import { plural, showSize, showTime, yesNo } from '../declaration/show.ts';
import { defineVerb } from '../declaration/verb.ts';
import type { Block, Tone, ViewContext } from '../declaration/view.ts';
import { changeEnds, readEnds } from './shared.ts';

export const reconcile = defineVerb({
  name: 'reconcile',
  summary: 'Compare accounts and keys on the host with Incus, and put them right',
  description: [
    'Incus is the source of truth; jump accounts and their keys are derived from it. Without --apply nothing is changed. Nothing is deleted because a question to Incus failed, and an account that this system did not make is never touched.',
  ],
  examples: [
    { line: 'reconcile', says: 'what differs; changes nothing' },
    { line: 'reconcile --apply', says: 'put it right' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
  parameters: [
    { kind: 'option', name: 'apply', long: ['apply'], summary: 'make the changes; without it they are only shown' },
    { kind: 'option', name: 'dryRun', long: ['dry-run'], summary: 'only show (the default)' },
  ],
  input: z
    .strictObject({ apply: z.boolean().optional(), dryRun: z.boolean().optional() })
    .refine((input) => !(input.apply && input.dryRun), { message: '--apply and --dry-run contradict each other' }),
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
          ? `Nothing differs: ${plural(result.checked.containers, 'container')}, ${plural(result.checked.accounts, 'jump account')}, ${plural(result.checked.keyFiles, 'key file')} checked`
          : `${plural(result.differences.length, 'difference')}, ${result.differences.filter((d) => d.fixed).length} put right`,
    },
  ],
  rows: (result) => ({
    columns: ['kind', 'target', 'detail', 'fix', 'fixed'],
    rows: result.differences.map((d) => [d.kind, d.target, d.detail, d.fix, d.fixed]),
  }),
  ends: { ...readEnds, partial: 'differences are left' },
  exit: (result) => (result.differences.every((d) => d.fixed) ? 'ok' : 'partial'),
});

const tones: Record<Severity, Tone> = { ok: 'good', warning: 'warn', problem: 'bad' };

export const doctor = defineVerb({
  name: 'doctor',
  summary: 'Check the host: Incus, storage, network, sshd, keys, limits, journal',
  description: [
    'Each check says what it found and what to do about it. Over ssh, what your own connection has agreed on is checked too. The exit code is 0 with warnings alone and 1 with a problem, so that a cron job can go by it.',
  ],
  examples: [{ line: 'doctor', says: 'is everything as it should be?' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
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
          ? 'All is well'
          : `${plural(result.checks.filter((c) => c.severity === 'problem').length, 'problem')}, ${plural(result.checks.filter((c) => c.severity === 'warning').length, 'warning')}`,
    },
  ],
  rows: (result) => ({
    columns: ['check', 'severity', 'detail', 'next'],
    rows: result.checks.map((c) => [c.name, c.severity, c.detail, c.next]),
  }),
  ends: { failed: 'there is a problem; warnings alone leave it at 0' },
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
    'Starts the base image once, installs the packages of the configuration file in it (sshd, sudo, Docker, git, curl, vim and htop), and keeps the result as a local image. The first create does this by itself. Containers that exist are not changed.',
  ],
  examples: [
    { line: 'image build', says: 'from the base image of the configuration file' },
    { line: 'image build --image images:debian/12', says: 'from another base image' },
  ],
  access: { manage: 'operator' },
  changes: true,
  danger: 'none',
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
  input: z.strictObject({ image: imageReference.optional() }),
  ends: {
    failed: 'building failed; what was made for it has been taken back',
    partial: changeEnds.partial,
    timeout: changeEnds.timeout,
    conflict: 'an earlier build of this image is not taken back yet',
  },
  view: (result: ImageBuildResult, context) => [
    {
      kind: 'text',
      tone: 'good',
      text: `Image ${result.image.alias} built in ${Math.round(result.elapsedMs / 1000)} s`,
    },
    imageTable([result.image], context),
  ],
});

export const imageList = defineVerb({
  name: 'image list',
  aliases: ['image ls'],
  summary: 'List prepared images',
  examples: [{ line: 'image list', says: 'what containers are cloned from' }],
  access: { manage: 'viewer' },
  changes: false,
  danger: 'none',
  parameters: [],
  input: z.strictObject({}),
  ends: readEnds,
  view: (result: { images: readonly ImageInfo[] }, context) => [imageTable(result.images, context)],
  rows: (result) => ({
    columns: ['alias', 'base', 'size_bytes', 'created_at', 'current', 'fingerprint'],
    rows: result.images.map((i) => [i.alias, i.base, i.sizeBytes, i.createdAt, i.current, i.fingerprint]),
  }),
});
