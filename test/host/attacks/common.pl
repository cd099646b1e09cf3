# Shared by the attack programs, which run in a container that has perl-base and nothing else: system call numbers,
# frames by hand, and the result as one line of JSON.
use strict;
use warnings;
use Errno ();
use POSIX ();
use Socket;

$| = 1;

my %numbers = (
    x86_64 => {
        add_key => 248, keyctl => 250, io_setup => 206, inotify_init1 => 294, vfork => 58, bpf => 321,
        perf_event_open => 298, init_module => 175, open_by_handle_at => 304, kexec_load => 246, syslog => 103,
        unshare => 272, sched_setscheduler => 144, fallocate => 285, mount => 165, umount2 => 166,
        iopl => 172,
    },
    aarch64 => {
        add_key => 217, keyctl => 219, io_setup => 0, inotify_init1 => 26, bpf => 280, perf_event_open => 241,
        init_module => 105, open_by_handle_at => 265, kexec_load => 104, syslog => 116, unshare => 97,
        sched_setscheduler => 119, fallocate => 47, mount => 40, umount2 => 39,
    },
);

# The number of a system call, or of one that does not exist.
sub number {
    my ($name) = @_;
    return $numbers{ (POSIX::uname())[4] }{$name} // 100_000;
}

sub json {
    my ($value) = @_;
    return 'null' unless defined $value;
    return '[' . join(',', map { json($_) } @$value) . ']' if ref $value eq 'ARRAY';
    return '{' . join(',', map { json("$_") . ':' . json($value->{$_}) } sort keys %$value) . '}'
        if ref $value eq 'HASH';
    return $value if $value =~ /^-?(?:0|[1-9]\d{0,14})\z/;
    $value =~ s/([\\"]|[^ -~])/sprintf '\\u%04x', ord $1/ge;
    return qq("$value");
}

# Says that the attack is under way, before its report.
sub started { print "started\n" }

sub report { print json({@_}), "\n" }

# The name of the last error, for instance EPERM.
sub error_name {
    my ($name) = grep { $!{$_} } keys %!;
    return $name // 'none';
}

# Without Time::HiRes, which perl-base lacks.
sub pause { select undef, undef, undef, $_[0] }

sub become {
    my ($id) = @_;
    $( = $) = "$id $id";
    $< = $> = $id;
    die "cannot become $id" unless $> == $id;
}

sub read_line {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!";
    my $line = <$file>;
    chomp $line;
    return $line;
}

# An address of an interface as six bytes, from its text.
sub mac { return pack 'H12', $_[0] =~ s/://gr }
sub own_mac { return mac(read_line('/sys/class/net/eth0/address')) }

# A raw socket on eth0, and a function that sends frames on it (packet(7)).
sub frames {
    socket my $socket, 17, 3, 0x0300 or die "AF_PACKET: $!";
    my $index = read_line('/sys/class/net/eth0/ifindex');
    bind $socket, pack('S n i S C C a8', 17, 3, $index, 0, 0, 0, '') or die "bind: $!";
    my $send = sub {
        my ($frame) = @_;
        my $to = pack 'S n i S C C a8', 17, 3, $index, 0, 0, 6, substr($frame, 0, 6);
        return defined send $socket, $frame, 0, $to;
    };
    return ($socket, $send);
}

sub ethernet {
    my ($to, $from, $type, $payload) = @_;
    return pack('a6 a6 n a*', $to, $from, $type, $payload . "\0" x 46);
}

sub checksum {
    my ($bytes) = @_;
    my $sum = 0;
    $sum += $_ for unpack 'n*', $bytes . "\0" x (length($bytes) % 2);
    $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
    return ~$sum & 0xffff;
}

# A packet of IPv4; `options` are its header's options, padded to words.
sub ipv4 {
    my ($from, $to, $protocol, $payload, $options) = @_;
    $options //= '';
    my $words = 5 + length($options) / 4;
    my $header = sub {
        pack 'C C n n n C C n a4 a4 a*', 0x40 | $words, 0, $words * 4 + length $payload, 4711, 0, 64, $protocol, $_[0],
            inet_aton($from), inet_aton($to), $options;
    };
    return $header->(checksum($header->(0))) . $payload;
}

# A datagram without checksum, which IPv4 allows.
sub udp {
    my ($from, $to, $payload) = @_;
    return pack 'n n n n a*', $from, $to, 8 + length $payload, 0, $payload;
}

1;
