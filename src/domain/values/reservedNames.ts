/**
 * Names that cannot be a user's: the host, its packages or this system already mean something by them.
 *
 * `useradd alice` also makes a group `alice` where the account gets a group of its own, so group names count as much as
 * user names.
 */

/**
 * Why a name is taken, with the names. Sources are the lists themselves, not what happens to be installed on one
 * machine.
 */
const groups: readonly { readonly why: string; readonly names: string }[] = [
  {
    // /usr/share/base-passwd/passwd.master and group.master (update-passwd(8)), including names they held in earlier
    // releases.
    why: 'it is a system user or group of Debian and Ubuntu (base-passwd)',
    names: `root daemon bin sys sync games man lp mail news uucp proxy majordom www-data backup list irc gnats nobody adm tty disk kmem
      dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users nogroup`,
  },
  {
    // Made by base packages when they are installed: udev, dbus, openssh, cron, netbase, apt, polkit, rsyslog and so on
    // (the package documentation users-and-groups.txt of base-passwd; the systemd-* names have a rule of their own
    // below).
    why: 'it is a user or group that a package of Debian or Ubuntu makes',
    names: `_apt _ssh _chrony input kvm render sgx rdma wheel messagebus sshd ssh ssl-cert crontab netdev bluetooth syslog klog uuidd
      tcpdump tss polkitd landscape fwupd-refresh usbmux dnsmasq avahi avahi-autoipd dhcpcd rtkit colord geoclue pulse pulse-access pipewire saned
      scanner lpadmin cups cupsys gdm lightdm sddm whoopsie speech-dispatcher kernoops nm-openvpn network postfix postdrop exim dovecot
      dovenull fetchmail opendkim statd rpc ntp ntpsec chrony bind unbound named pollinate cloudsdk google-sudoers fail2ban ftp telnetd
      postgres mysql mariadb redis memcache mongodb rabbitmq elasticsearch nginx apache httpd haproxy caddy tomcat jenkins git gitlab
      prometheus grafana node-exporter telegraf influxdb zabbix nagios munin puppet`,
  },
  {
    why: 'it is a user or group of a container or virtual machine manager on the host',
    names: 'lxd lxc docker podman containerd incus incus-admin _incus libvirt libvirt-qemu qemu libvirt-dnsmasq zfs',
  },
  {
    // cloud-init's `default_user` of the images of Ubuntu, Debian and the clouds: an account that may exist, with sudo,
    // at any time.
    why: 'it is the account with sudo that cloud images come with (cloud-init)',
    names: 'ubuntu debian admin administrator centos fedora rocky almalinux ec2-user azureuser cloud-user opc vagrant',
  },
  {
    why: 'it is a name that this system uses itself',
    names: 'manage self containarium containarium-front containarium-core containarium-jump jump',
  },
  {
    // RFC 6761 section 6.3 for localhost; the others are what DNS, DHCP and /etc/hosts use.
    why: 'it has a meaning as a host name or as a word of the command line',
    names: 'localhost localdomain broadcasthost gateway host default all none null help',
  },
];

const reasons: ReadonlyMap<string, string> = new Map(
  groups.flatMap(({ why, names }) => names.split(/\s+/).map((name): [string, string] => [name, why])),
);

/** Why `name` is reserved, as a clause (`it is …`), or `undefined` where it is free. */
export function reservedReason(name: string): string | undefined {
  // systemd-sysusers(8) makes systemd-network, systemd-resolve and others, and each release adds some.
  if (name.startsWith('systemd-')) return 'names that begin with "systemd-" belong to systemd';
  return reasons.get(name);
}

/** All reserved names, for the docs and the tests. */
export const reservedNames: readonly string[] = [...reasons.keys()];
