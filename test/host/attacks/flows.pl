# Begins many flows, each of which takes an entry of the host's connection tracking: one datagram to each port.
#
#   flows.pl ADDRESS NUMBER
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Socket;

my ($address, $number) = @ARGV;
my ($sent, @sockets) = (0);
while ($sent < $number) {
    socket my $socket, AF_INET, SOCK_DGRAM, 0 or last;
    push @sockets, $socket;
    for my $port (1024 .. 9023) {
        last if $sent >= $number;
        $sent++ if defined send $socket, 'x', 0, pack_sockaddr_in($port, inet_aton($address));
        # The queue of the interface drops what comes too fast.
        pause(0.002) if $sent % 200 == 0;
    }
}
report(sent => $sent);
