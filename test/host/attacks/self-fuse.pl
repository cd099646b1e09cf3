# Makes a process that waits for ever, and for no signal, for an answer of a file system that it serves itself (fuse(4)).
#
#   self-fuse.pl
#
# Reports the id of that process. The request must have been read: before that a signal still ends the wait.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Fcntl;

my $folder = '/tmp/self-fuse';
mkdir $folder;
sysopen my $fuse, '/dev/fuse', O_RDWR or die "/dev/fuse: $!";
my ($source, $type, $options) = ('fuse', 'fuse', 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0');
syscall(number('mount'), $source, $folder, $type, 0, $options) == 0 or die "mount: $!";

pipe my $go, my $ready or die "pipe: $!";
my $child = fork;
die "fork: $!" unless defined $child;
if ($child == 0) {
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    sysread $go, my $byte, 1;
    stat "$folder/anything";
    exit 0;
}
# struct fuse_in_header, then struct fuse_out_header with struct fuse_init_out (linux/fuse.h).
sysread $fuse, my $request, 1 << 17 or die "read: $!";
my (undef, $operation, $unique) = unpack 'L L Q', $request;
die "operation $operation instead of FUSE_INIT" unless $operation == 26;
my $init = pack 'L L L L S S L L S S L8', 7, 31, 65_536, 0, 12, 9, 4096, 1, 0, 0, (0) x 8;
syswrite $fuse, pack('L l Q', 16 + length $init, 0, $unique) . $init or die "write: $!";
syswrite $ready, '1';
sysread $fuse, $request, 1 << 17 or die "read: $!";
report(pid => $child);
