# Reports which of these texts arrive at eth0, in whatever frame, for some seconds.
#
#   sniff.pl SECONDS TEXT...
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($seconds, @texts) = @ARGV;
my ($socket) = frames();
my $own = own_mac();
my %seen;
started();
my $end = time + $seconds;
while (time <= $end) {
    vec(my $wanted = '', fileno $socket, 1) = 1;
    next unless select $wanted, undef, undef, 0.2;
    recv $socket, my $frame, 2048, 0;
    next if substr($frame, 6, 6) eq $own;
    index($frame, $_) >= 0 and $seen{$_}++ for @texts;
}
report(seen => [sort keys %seen]);
