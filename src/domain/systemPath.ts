/**
 * The folders of system programs in Debian and Ubuntu. Every program that is started by name is looked up here and
 * never in the PATH of the caller: npm puts `node_modules/.bin` of each folder above a checkout at the front of it, and
 * that from sudo or cron often lacks the sbin folders.
 */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
