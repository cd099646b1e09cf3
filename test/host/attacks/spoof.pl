# Claims addresses of others on the bridge, and sends packets that must not arrive.
#
#   spoof.pl arp ADDRESS TO-MAC TARGET-ADDRESS     says by ARP that ADDRESS is here
#   spoof.pl router                                advertises itself as the router of IPv6 (RFC 4861)
#   spoof.pl neighbour ADDRESS TO-MAC              says by NDP that an address of IPv6 is here
#   spoof.pl udp SOURCE DESTINATION PORT TO-MAC TEXT [HOP]   a datagram, with HOP source-routed through it
#
# Each is sent ten times in a second.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Socket qw(inet_aton inet_pton AF_INET6);

my ($kind, @rest) = @ARGV;
my $own = own_mac();
my $link_local = "\xfe\x80" . "\0" x 6 . pack('a3 H4 a3', substr($own, 0, 3) ^ "\2\0\0", 'fffe', substr $own, 3);

# A message of ICMPv6 in its packet; the checksum covers a pseudo header (RFC 8200, section 8.1).
sub icmp6 {
    my ($from, $to, $message) = @_;
    substr $message, 2, 2, pack 'n', checksum(pack('a16 a16 N N', $from, $to, length $message, 58) . $message);
    return pack('N n C C a16 a16', 6 << 28, length $message, 58, 255, $from, $to) . $message;
}

my %made = (
    arp => sub {
        my ($address, $mac, $target) = @_;
        return ethernet(mac($mac), $own, 0x0806,
            pack('n n C C n a6 a4 a6 a4', 1, 0x0800, 6, 4, 2, $own, inet_aton($address), mac($mac),
                inet_aton($target)));
    },
    router => sub {
        my $all = inet_pton(AF_INET6, 'ff02::1');
        my $prefix = pack 'C C C C N N N a16', 3, 4, 64, 0xc0, 1800, 1800, 0, inet_pton(AF_INET6, '2001:db8:666::');
        my $message = pack('C C n C C n N N', 134, 0, 0, 64, 0, 1800, 0, 0) . pack('C C a6', 1, 1, $own) . $prefix;
        return ethernet(mac('33:33:00:00:00:01'), $own, 0x86dd, icmp6($link_local, $all, $message));
    },
    neighbour => sub {
        my ($address, $mac) = @_;
        my $target = inet_pton(AF_INET6, $address);
        my $all = inet_pton(AF_INET6, 'ff02::1');
        my $message = pack('C C n N a16', 136, 0, 0, 0x20000000, $target) . pack('C C a6', 2, 1, $own);
        return ethernet(mac($mac), $own, 0x86dd, icmp6($target, $all, $message));
    },
    udp => sub {
        my ($from, $to, $port, $mac, $text, $hop) = @_;
        # Loose source routing: the packet is addressed to the hop, and the option names the destination (RFC 791).
        my $options = defined $hop ? pack('C C C a4 C', 131, 7, 4, inet_aton($to), 0) : '';
        return ethernet(mac($mac), $own, 0x0800, ipv4($from, $hop // $to, 17, udp($port, $port, $text), $options));
    },
);
my (undef, $send) = frames();
my $sent = 0;
for (1 .. 10) {
    my $frame = $made{$kind}->(@rest);
    # ethernet pads, and a datagram's length is in its own header.
    $sent++ if $send->($frame);
    pause(0.1);
}
report(sent => $sent);
