# Tries to connect to ports, all at once, and reports which accept, which refuse, and which are silent.
#
#   connect.pl SECONDS ADDRESS:PORT...
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use IO::Socket::INET;

my ($seconds, @targets) = @ARGV;
my (%waiting, %result);
for my $target (@targets) {
    my $socket = IO::Socket::INET->new(PeerAddr => $target, Proto => 'tcp', Blocking => 0);
    if (defined $socket) { $waiting{$target} = $socket }
    else { push @{ $result{ $!{ECONNREFUSED} ? 'refused' : 'silent' } }, $target }
}
my $end = time + $seconds;
while (%waiting && time <= $end) {
    my $wanted = '';
    vec($wanted, fileno $_, 1) = 1 for values %waiting;
    select undef, my $ready = $wanted, undef, 0.2 or next;
    for my $target (grep { vec $ready, fileno $waiting{$_}, 1 } keys %waiting) {
        my $error = unpack 'i', getsockopt delete($waiting{$target}), SOL_SOCKET, SO_ERROR;
        push @{ $result{ $error == 0 ? 'open' : $error == Errno::ECONNREFUSED() ? 'refused' : 'silent' } }, $target;
    }
}
push @{ $result{silent} }, keys %waiting;
report(map { $_ => [sort @{ $result{$_} // [] }] } qw(open refused silent));
