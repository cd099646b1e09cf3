# Sends ICMP errors (RFC 792) about a datagram of another sender, from the own address.
#
#   icmp-error.pl BRIDGE-MAC OWN-ADDRESS SENDER SENDER-PORT RECEIVER RECEIVER-PORT SECONDS RATE
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($bridge, $own, $sender, $sender_port, $receiver, $receiver_port, $seconds, $rate) = @ARGV;
my $inner = ipv4($sender, $receiver, 17, udp($sender_port, $receiver_port, 'data'));
# Port unreachable, and fragmentation needed for packets of more than 600 bytes.
my @errors = map {
    my ($code, $mtu) = @$_;
    my $message = sub { pack 'C C n n n a*', 3, $code, $_[0], 0, $mtu, $inner };
    ipv4($own, $sender, 1, $message->(checksum($message->(0))));
} [3, 0], [4, 600];
my (undef, $send) = frames();
my $sent = 0;
for (1 .. $seconds * $rate) {
    $send->(ethernet(mac($bridge), own_mac(), 0x0800, $_)) and $sent++ for @errors;
    pause(1 / $rate);
}
report(sent => $sent);
