# Sends first fragments whose rest never comes, which the host keeps until it gives up.
#
#   fragments.pl BRIDGE-MAC OWN-ADDRESS RECEIVER SECONDS RATE
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Socket;

my ($bridge, $own, $receiver, $seconds, $rate) = @ARGV;
my ($to, $from) = (mac($bridge), own_mac());
my (undef, $send) = frames();
my ($sent, $id) = (0, 0);
for (1 .. $seconds * 10) {
    for (1 .. $rate / 10) {
        # More fragments follow, offset 0.
        my $header = sub {
            pack 'C C n n n C C n a4 a4', 0x45, 0, 1420, $id & 0xffff, 0x2000, 64, 17, $_[0], inet_aton($own),
                inet_aton($receiver);
        };
        $send->(ethernet($to, $from, 0x0800, $header->(checksum($header->(0))) . 'A' x 1400)) and $sent++;
        $id++;
    }
    started() if $_ == 1;
    pause(0.1);
}
report(sent => $sent);
