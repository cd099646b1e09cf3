# A fork bomb with an end: each process makes one more with vfork(2), which costs the memory of a stack in the kernel
# and nothing else, so that the number of processes is spent before the memory.
#
#   forks.pl NUMBER SECONDS
#
# The last process reports how many there are, waits, and ends them all.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($number, $seconds) = @ARGV;
setpgrp;
my $vfork = number('vfork');
our $made = 0;
my $error = 'none';
while ($made < $number) {
    # The parent sleeps until its child ends. Both have the same memory, so the child counts on.
    if (syscall($vfork) < 0) { $error = error_name(); last }
    $made++;
}
report(made => $made, error => $error);
pause($seconds);
kill 'KILL', -getpgrp;
