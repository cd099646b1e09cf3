/** Settings of alerts and of the daily report. */
import * as z from 'zod';
import { absolutePath, webUrl } from './types.ts';

const percent = z.number().int().min(1).max(100);

/** An address of RFC 5321 without quoted strings and comments, which nobody has and some programs misread. */
const mailAddress = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._+=-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/,
    'must be a mail address, for example root@localhost',
  )
  .meta({ title: 'mail address' });

export const alertSettings = z
  .strictObject({
    mail: z
      .array(mailAddress)
      .max(20)
      .default([])
      .describe(
        'Mail addresses that get alerts and the daily report, through the `sendmail` of this host. Not set by default.',
      ),
    mailFrom: mailAddress
      .optional()
      .describe('Address of the sender. Default: `containarium` at the name of this host.'),
    webhook: webUrl
      .optional()
      .describe(
        'Where alerts and the daily report are sent as JSON (POST). https only, except to a loopback address. Not set by default.',
      ),
    webhookSecretFile: absolutePath
      .optional()
      .describe(
        'File with a secret, by which the receiver knows the sender: requests are signed as [Standard Webhooks](https://www.standardwebhooks.com/) say. Only root may be able to read it.',
      ),
    poolPercent: percent.default(90).describe('Used space of a storage pool from which there is an alert, in percent.'),
    quotaPercent: percent
      .default(90)
      .describe("Used space of a container from which there is an alert, in percent of the container's disk."),
    banStorm: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(50)
      .describe('Number of sources that were banned by themselves within an hour from which there is an alert.'),
  })
  .prefault({})
  .describe('What admins are told of, when it begins and when it is over. Their shells tell it too (`alert list`).');

export const reportSettings = z
  .strictObject({
    every: z
      .enum(['daily', 'never'])
      .default('daily')
      .describe('How often the report is sent, if `alerts.mail` or `alerts.webhook` is set.'),
    hour: z.number().int().min(0).max(23).default(6).describe('Hour of the day at which it is sent, in UTC.'),
  })
  .prefault({})
  .describe('The report of what happened on this host (`report` prints it at any time).');
