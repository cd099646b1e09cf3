/**
 * Names that no user may have, because the host, its packages or this system use them.
 *
 * Group names count as well as user names: `useradd alice` also creates a group `alice` if the account gets a group of
 * its own.
 */

/** Reserved names by reason. They come from published lists, not from what one machine happens to have installed. */
const groups: readonly { readonly why: string; readonly names: string }[] = [
  {
    // /usr/share/base-passwd/passwd.master and group.master (update-passwd(8)), including names from earlier releases.
    why: 'a system user or group of Debian and Ubuntu (base-passwd)',
    names: `root daemon bin sys sync games man lp mail news uucp proxy majordom www-data backup list irc gnats nobody adm tty disk kmem
      dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users nogroup`,
  },
  {
    // Created by packages: udev, dbus, openssh, cron, netbase, apt, polkit, rsyslog and others (users-and-groups.txt in
    // the documentation of base-passwd). The systemd-* names have their own rule below.
    why: 'a user or group created by a package of Debian or Ubuntu',
    names: `_apt _ssh _chrony input kvm render sgx rdma wheel messagebus sshd ssh ssl-cert crontab netdev bluetooth syslog klog uuidd
      tcpdump tss polkitd landscape fwupd-refresh usbmux dnsmasq avahi avahi-autoipd dhcpcd rtkit colord geoclue pulse pulse-access pipewire saned
      scanner lpadmin cups cupsys gdm lightdm sddm whoopsie speech-dispatcher kernoops nm-openvpn network postfix postdrop exim dovecot
      dovenull fetchmail opendkim statd rpc ntp ntpsec chrony bind unbound named pollinate cloudsdk google-sudoers fail2ban ftp telnetd
      postgres mysql mariadb redis memcache mongodb rabbitmq elasticsearch nginx apache httpd haproxy caddy tomcat jenkins git gitlab
      prometheus grafana node-exporter telegraf influxdb zabbix nagios munin puppet`,
  },
  {
    why: 'a user or group of a container or virtual machine manager',
    names: 'lxd lxc docker podman containerd incus incus-admin _incus libvirt libvirt-qemu qemu libvirt-dnsmasq zfs',
  },
  {
    // cloud-init's `default_user` in the images of Ubuntu, Debian and the clouds: this account may exist, with sudo.
    why: 'the default account with sudo of cloud images (cloud-init)',
    names: 'ubuntu debian admin administrator centos fedora rocky almalinux ec2-user azureuser cloud-user opc vagrant',
  },
  {
    why: 'used by containarium itself',
    names: 'manage self containarium containarium-front containarium-core containarium-jump jump',
  },
  {
    // RFC 6761 section 6.3 for localhost; DNS, DHCP and /etc/hosts for the others.
    why: 'a special host name or a word of the command line',
    names: 'localhost localdomain broadcasthost gateway host default all none null help',
  },
];

const reasons: ReadonlyMap<string, string> = new Map(
  groups.flatMap(({ why, names }) => names.split(/\s+/).map((name): [string, string] => [name, why])),
);

/** Returns why `name` is reserved, as a clause, or `undefined` if it is not. */
export function reservedReason(name: string): string | undefined {
  // systemd-sysusers(8) creates systemd-network, systemd-resolve and others, and every release adds more.
  if (name.startsWith('systemd-')) return 'names that begin with "systemd-" belong to systemd';
  return reasons.get(name);
}

/** All reserved names, for the docs and the tests. */
export const reservedNames: readonly string[] = [...reasons.keys()];
