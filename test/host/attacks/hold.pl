# Takes things that the kernel counts for a user id or for the whole host, reports how many, and holds them.
#
#   hold.pl KIND NUMBER SECONDS [UID]
#
# KIND: pipes (reports the capacity of the last one), inotify, aio (slots of io_setup(2)), ptys (each 500 in a devpts of
# their own, because each devpts has a limit).
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Fcntl;
no warnings 'portable';

my ($kind, $number, $seconds, $id) = @ARGV;
become($id) if defined $id;
my ($held, $error, @kept) = (0, 'none');
my %more;

if ($kind eq 'pipes') {
    for (1 .. $number) {
        pipe my $out, my $in or do { $error = error_name(); last };
        push @kept, $out, $in;
        $held++;
        # F_GETPIPE_SZ
        $more{capacity} = 0 + fcntl $in, 1032, 0;
    }
} elsif ($kind eq 'inotify') {
    for (1 .. $number) {
        my $instance = syscall number('inotify_init1'), 0;
        if ($instance < 0) { $error = error_name(); last }
        $held++;
    }
} elsif ($kind eq 'aio') {
    my $context = pack 'Q', 0;
    my $made = syscall number('io_setup'), 0 + $number, $context;
    if ($made == 0) { $held = $number } else { $error = error_name() }
    # The ring is a mapping of this process.
    open my $maps, '<', '/proc/self/maps' or die "maps: $!";
    for (<$maps>) { $more{bytes} += hex($2) - hex($1) if m{^(\w+)-(\w+) .*/\[aio\]} }
} elsif ($kind eq 'ptys') {
    my $mount = sub {
        my ($folder) = @_;
        mkdir $folder;
        my ($source, $type, $options) = ('devpts', 'devpts', 'newinstance,ptmxmode=0666,max=1000000');
        return syscall(number('mount'), $source, $folder, $type, 0, $options) == 0;
    };
    for my $n (1 .. $number) {
        my $folder = '/tmp/pts-' . int(($n - 1) / 500);
        if (($n - 1) % 500 == 0 && !$mount->($folder)) { $error = error_name(); last }
        sysopen my $pty, "$folder/ptmx", O_RDWR | O_NOCTTY or do { $error = error_name(); last };
        push @kept, $pty;
        $held++;
    }
}
# What this program itself uses is no part of what it holds.
my (undef, $resident, $shared) = split ' ', read_line('/proc/self/statm');
report(held => $held, error => $error, own => ($resident - $shared) * 4096, %more);
pause($seconds);
if ($kind eq 'ptys') {
    @kept = ();
    for my $folder (glob '/tmp/pts-*') { syscall number('umount2'), $folder, 2; rmdir $folder }
}
