# Looks for the name and the address of another tenant wherever a container can read.
#
#   names.pl TEXT...
#
# Reports the places that hold one of the texts: names and contents below /proc and /sys, the tables of the network, and
# the environment.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my $wanted = join '|', map { quotemeta } @ARGV;
my %places;
my $files = 0;

# Content of these never ends, or reading it has an effect.
my $skipped = qr{/(?:kmsg|trace_pipe|kcore|kpage\w+|acpi|sysrq-trigger|pagemap|mem|clear_refs|auxv|tasks?)$};

sub look {
    my ($path, $depth, $contents) = @_;
    $places{$path} = 1 if $path =~ /$wanted/;
    return if $path =~ $skipped;
    # A link's text is a place too; what it points to is looked at where it is.
    if (-l $path) { my $to = readlink $path; $places{$path} = 1 if defined $to && $to =~ /$wanted/; return }
    if (-d $path) {
        return if $depth == 0;
        opendir my $folder, $path or return;
        my @names = grep { !/^\.\.?$/ && !($path eq '/proc' && /^\d+$/) } readdir $folder;
        look("$path/$_", $depth - 1, $contents) for @names;
        return;
    }
    return unless $contents;
    sysopen my $file, $path, 04000 or return;
    $files++;
    my $text = '';
    while (length $text < 1_000_000 && sysread $file, my $bytes, 65536) { $text .= $bytes }
    $places{$path} = 1 if $text =~ /$wanted/;
}

look('/proc', 6, 1);
# This program's own command line has the texts, so init stands for all processes.
look("/proc/1/$_", 3, 1) for qw(mountinfo mounts cgroup environ net status maps stat limits);
look('/sys', 12, 0);
look($_, 4, 1) for qw(/sys/fs/cgroup /sys/class/net /sys/fs/btrfs /etc/resolv.conf /etc/hosts /dev/incus);
for my $command ('ip neighbour', 'ip link', 'ip route show table all', 'ss -a') {
    my $output = `$command 2>/dev/null` // '';
    $places{$command} = 1 if $output =~ /$wanted/;
}
report(places => [sort keys %places], files => $files);
