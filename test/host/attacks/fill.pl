# Fills what a container may fill, or more.
#
#   fill.pl disk FOLDER MIB             allocates files until it is refused, and keeps them
#   fill.pl subvolume MIB               the same in a btrfs subvolume, which a quota of the parent does not count
#   fill.pl files FOLDER NUMBER         makes empty files
#   fill.pl memory FOLDER MIB           writes to a file system in memory
#   fill.pl clear FOLDER
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Fcntl;

my ($mode, $folder, $number) = @ARGV;
my $piece = 64;

sub allocate {
    my ($folder, $mib) = @_;
    my ($done, $n) = (0, 0);
    while ($done < $mib) {
        sysopen my $file, "$folder/fill-" . $n++, O_RDWR | O_CREAT or last;
        last if syscall(number('fallocate'), fileno $file, 0, 0, $piece * 1024 * 1024) != 0;
        $done += $piece;
    }
    report(mib => $done, error => $done < $mib ? error_name() : 'none');
}

if ($mode eq 'disk') {
    mkdir $folder;
    allocate($folder, $number);
} elsif ($mode eq 'subvolume') {
    open my $root, '<', '/' or die "/: $!";
    my $arguments = pack 'q a4088', 0, 'tenants-escape';
    # BTRFS_IOC_SUBVOL_CREATE
    my $made = ioctl $root, 0x5000940e, $arguments;
    if (!$made) { report(mib => 0, error => error_name()); exit }
    allocate('/tenants-escape', $folder);
} elsif ($mode eq 'files') {
    mkdir $folder;
    my $made = 0;
    for (1 .. $number) { open my $file, '>', "$folder/file-$_" or last; $made++ }
    report(made => $made);
} elsif ($mode eq 'memory') {
    my $done = 0;
    open my $file, '>', "$folder/tenants-fill" or die "$folder: $!";
    while ($done < $number) { print $file "\xa5" x (1024 * 1024) or last; $done++ }
    report(mib => $done);
} else {
    unlink glob "$folder/fill-* $folder/file-*";
    rmdir $folder;
    report(cleared => 1);
}
