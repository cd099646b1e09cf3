/**
 * Writes a container's fixed address into it, so that it needs no DHCP: no lease to wait for, to lose to a forged
 * release, or to find taken. A unit inside applies the address before the network of its next start, because only the
 * container knows which program manages its network. If the unit fails, DHCP still assigns the same address.
 */
import type { Incus } from '../../host/incus/incus.ts';
import type { Placement } from '../instances/placement.ts';

interface File {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
}

const seedPath = '/etc/containarium/seed/network';
/** Where the seed is once it is applied. */
export const appliedSeedPath = `${seedPath}.done`;

/**
 * Knows two ways: the DHCP stanza of ifupdown (interfaces(5)) becomes a static one, otherwise systemd-networkd gets a
 * file that precedes by its name those of the image, netplan and cloud-init (systemd.network(5)). No package owns a
 * file that is written here, so that no upgrade in the container replaces it.
 */
const script = `#!/bin/sh
# Written by containarium: sets the fixed address of this container, once, before its network starts.
set -eu
seed=${seedPath}
. "$seed"
if [ -d /etc/cloud/cloud.cfg.d ]; then
  printf 'network: {config: disabled}\\n' > /etc/cloud/cloud.cfg.d/99-containarium-network.cfg
fi
dhcp='^[[:space:]]*iface[[:space:]]\\{1,\\}eth0[[:space:]]\\{1,\\}inet[[:space:]]\\{1,\\}dhcp[[:space:]]*$'
ifupdown=no
# What this script has written before, if the container gets another address.
old=$(sed -n 's/^address=//p' ${appliedSeedPath} 2>/dev/null || true)
oldgateway=$(sed -n 's/^gateway=//p' ${appliedSeedPath} 2>/dev/null || true)
for file in /etc/network/interfaces /etc/network/interfaces.d/*; do
  if [ -x /sbin/ifup ] && [ -f "$file" ] && grep -q "$dhcp" "$file"; then
    sed -i "s|$dhcp|iface eth0 inet static\\n    address $address\\n    gateway $gateway|" "$file"
    ifupdown=yes
  elif [ -n "$old" ] && [ -f "$file" ] && grep -qxF "    address $old" "$file"; then
    sed -i "s|^    address $old\$|    address $address|; s|^    gateway $oldgateway\$|    gateway $gateway|" "$file"
    ifupdown=yes
  fi
done
if [ "$ifupdown" = no ]; then
  mkdir -p /etc/systemd/network
  {
    printf '# Written by containarium: the fixed address of this container.\\n'
    printf '[Match]\\nName=eth0\\n\\n[Network]\\nDHCP=no\\nIPv6AcceptRA=%s\\n' "$ipv6"
    printf 'Address=%s\\nGateway=%s\\n' "$address" "$gateway"
    for server in $dns; do printf 'DNS=%s\\n' "$server"; done
  } > /etc/systemd/network/05-containarium.network
fi
case "$(readlink /etc/resolv.conf || true)" in
*systemd/resolve/*)
  if [ "$ifupdown" = yes ]; then
    mkdir -p /etc/systemd/resolved.conf.d
    printf '[Resolve]\\nDNS=%s\\n' "$dns" > /etc/systemd/resolved.conf.d/containarium.conf
  fi
  ;;
*)
  rm -f /etc/resolv.conf
  for server in $dns; do printf 'nameserver %s\\n' "$server"; done > /etc/resolv.conf
  ;;
esac
mv "$seed" ${appliedSeedPath}
`;

const unit = `[Unit]
Description=Containarium: set the fixed address
ConditionPathExists=${seedPath}
DefaultDependencies=no
After=local-fs.target
Before=cloud-init-local.service network-pre.target networking.service
Before=systemd-networkd.service systemd-networkd.socket systemd-resolved.service
Wants=network-pre.target

[Service]
Type=oneshot
ExecStart=/etc/containarium/network
RemainAfterExit=yes
`;

/** Enables the unit. A drop-in, unlike the link that "systemctl enable" makes, can be written from outside. */
const wants = `[Unit]
Wants=containarium-network.service
`;

/** The files that every prepared image has. */
export const addressFiles: readonly File[] = [
  { path: '/etc/containarium/network', mode: '0755', content: script },
  { path: '/etc/systemd/system/containarium-network.service', mode: '0644', content: unit },
  { path: '/etc/systemd/system/sysinit.target.d/containarium-network.conf', mode: '0644', content: wants },
];

/** What a container is told of its network. */
export type AddressPlan = Pick<Placement, 'gateway' | 'router' | 'nameservers' | 'ipv6'> & {
  readonly address: string;
};

/** Returns the address with its prefix length, `10.0.3.101/24`, as it is written and as the instance records it. */
export function fixedAddress({ gateway, address }: Pick<AddressPlan, 'gateway' | 'address'>): string {
  return `${address}/${gateway.split('/')[1] ?? '24'}`;
}

/**
 * Writes the address into an instance, for its next start. An image of another version may lack the files that apply
 * it; then pass `withFiles`.
 */
export async function writeFixedAddress(
  incus: Incus,
  instance: string,
  plan: AddressPlan,
  { withFiles }: { readonly withFiles: boolean },
): Promise<void> {
  if (withFiles) for (const file of addressFiles) await incus.pushFile({ instance, ...file });
  await incus.pushFile({ instance, ...addressSeed(plan), mode: '0644' });
}

/** Returns the file that tells a container its address. */
export function addressSeed(plan: AddressPlan): { readonly path: string; readonly content: string } {
  const lines = {
    address: fixedAddress(plan),
    gateway: plan.router,
    dns: `'${plan.nameservers.join(' ')}'`,
    ipv6: plan.ipv6 ? 'yes' : 'no',
  };
  const content = Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  return { path: seedPath, content };
}
