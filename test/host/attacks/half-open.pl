# Opens connections and leaves them before the login, so that sshd refuses others (MaxStartups).
#
#   half-open.pl ADDRESS PORT NUMBER SECONDS
#
# Reports before it waits how many the server accepted, and afterwards nothing.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use IO::Socket::INET;

my ($address, $port, $number, $seconds) = @ARGV;
my @held;
my $connected = 0;
for (1 .. $number) {
    my $socket = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Proto => 'tcp', Timeout => 1);
    if (defined $socket) { push @held, $socket; $connected++ }
    # A filtered port answers none: the first three say so.
    last if $_ == 3 && $connected == 0;
}
report(connected => $connected);
pause($seconds);
