# Tries what only the host's own root may do, without changing anything: files are opened and not written, programs and
# events of the kernel are made and closed. Run as root of the host itself it shows that each attempt can succeed.
#
# Reports the attempts that succeeded, and the error of each of the others.
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Fcntl;

my (@reached, %refused);

sub attempt {
    my ($name, $try) = @_;
    $! = 0;
    if ($try->()) { push @reached, $name } else { $refused{$name} = error_name() }
}

sub opens {
    my ($path, $flags) = @_;
    return sysopen(my $file, $path, $flags);
}

attempt("write $_", sub { opens($_, O_WRONLY) })
    for qw(/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/kernel/pty/max
    /proc/sys/fs/inotify/max_user_instances /proc/sys/fs/aio-max-nr /proc/sys/fs/file-max /proc/sys/vm/drop_caches
    /proc/sys/vm/panic_on_oom /proc/sys/kernel/keys/maxkeys /proc/sys/kernel/panic /proc/sysrq-trigger
    /proc/sys/net/netfilter/nf_conntrack_max /sys/kernel/uevent_helper /sys/power/state /sys/kernel/mm/ksm/run
    /sys/module/btrfs/parameters/allow_unsafe_mount_options /dev/mem /dev/kmsg /dev/port /dev/cpu/0/msr);
sub reads {
    my ($path) = @_;
    sysopen my $file, $path, O_RDONLY or return 0;
    return sysread $file, my $bytes, 64;
}

attempt("read $_", sub { reads($_) }) for qw(/proc/kcore /proc/kpageflags /dev/mem /proc/vmallocinfo);
attempt('the log of the kernel', sub {
    my $bytes = "\0" x 4096;
    return syscall(number('syslog'), 3, $bytes, 4096) > 0;
});

# Every disk of the host by its number, because a device file needs nothing but that.
if (open my $list, '<', '/proc/partitions') {
    for (<$list>) {
        next unless /^\s*(\d+)\s+(\d+)\s+\d+\s+((?:vd|sd|nvme|xvd)\S+)/;
        my ($major, $minor, $name) = ($1, $2, $3);
        attempt("the disk $name", sub {
            my $path = "/tmp/tenants-disk-$name";
            my $made = system("mknod $path b $major $minor 2>/dev/null") == 0;
            $! = Errno::EPERM() unless $made;
            my $opened = $made && opens($path, O_RDONLY);
            my $error = $!;
            unlink $path;
            $! = $error;
            return $opened;
        });
        last;
    }
}

attempt('a program of BPF', sub {
    # BPF_PROG_LOAD of a socket filter: r0 = 0; exit.
    my $instructions = pack('C C s l', 0xb7, 0, 0, 0) . pack 'C C s l', 0x95, 0, 0, 0;
    my $licence = "GPL\0";
    my $attributes = pack 'L L P P L L Q L L a72', 1, 2, $instructions, $licence, 0, 0, 0, 0, 0, '';
    return syscall(number('bpf'), 5, $attributes, length $attributes) >= 0;
});
attempt('events of all processes', sub {
    # perf_event_open: a software event (cpu-clock) on processor 0, of every process.
    my $attributes = pack 'L L Q a96', 1, 112, 0, '';
    return syscall(number('perf_event_open'), $attributes, -1, 0, -1, 0) >= 0;
});
attempt('a module of the kernel', sub {
    # Refused with EPERM before the image is looked at, else with ENOEXEC.
    my $image = "\0" x 64;
    my $options = '';
    syscall number('init_module'), $image, 64, $options;
    return $!{ENOEXEC};
});
attempt('another kernel', sub { syscall(number('kexec_load'), 0, 0, 0, 0) == 0 });
attempt('a file by its handle', sub {
    open my $root, '<', '/' or return 0;
    my $handle = pack 'I i a128', 8, 1, pack 'L L', 2, 0;
    syscall number('open_by_handle_at'), fileno $root, $handle, 0;
    # Refused with EPERM before the handle is looked at, else with ESTALE or EINVAL or not at all.
    return !$!{EPERM} && !$!{ENOSYS};
});
attempt('real-time scheduling', sub {
    my $parameter = pack 'i', 1;
    my $set = syscall(number('sched_setscheduler'), 0, 1, $parameter) == 0;
    $parameter = pack 'i', 0;
    syscall number('sched_setscheduler'), 0, 0, $parameter if $set;
    return $set;
});
attempt('the ports of the machine', sub { syscall(number('iopl'), 3) == 0 });
attempt('a lower score for the OOM killer', sub {
    open my $file, '>', '/proc/self/oom_score_adj' or return 0;
    return defined syswrite $file, '-1000';
});
attempt('the release agent of a control group', sub {
    for my $path (glob '/sys/fs/cgroup/*/release_agent /sys/fs/cgroup/release_agent') {
        return 1 if opens($path, O_WRONLY);
    }
    # In a namespace of its own, where the hierarchy can be mounted anew (CVE-2022-0492).
    my $pid = fork // return 0;
    if ($pid == 0) {
        # CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWCGROUP
        syscall number('unshare'), 0x10000000 | 0x00020000 | 0x02000000;
        my ($source, $folder, $type, $options) = ('none', '/tmp/tenants-cgroup', 'cgroup', 'pids');
        mkdir $folder;
        my $mounted = syscall(number('mount'), $source, $folder, $type, 0, $options) == 0;
        POSIX::_exit($mounted && opens("$folder/release_agent", O_WRONLY) ? 0 : 1);
    }
    waitpid $pid, 0;
    my $reached = $? == 0;
    rmdir '/tmp/tenants-cgroup';
    return $reached;
});
attempt('a mount of the devices of the host', sub {
    my ($source, $folder, $type, $options) = ('devtmpfs', '/tmp/tenants-dev', 'devtmpfs', '');
    mkdir $folder;
    my $mounted = syscall(number('mount'), $source, $folder, $type, 0, $options) == 0;
    my $error = $!;
    syscall number('umount2'), $folder, 2 if $mounted;
    rmdir $folder;
    $! = $error;
    return $mounted;
});
attempt('a mount of debugfs', sub {
    my ($source, $folder, $type, $options) = ('debugfs', '/tmp/tenants-debug', 'debugfs', '');
    mkdir $folder;
    my $mounted = syscall(number('mount'), $source, $folder, $type, 0, $options) == 0;
    my $error = $!;
    syscall number('umount2'), $folder, 2 if $mounted;
    rmdir $folder;
    $! = $error;
    return $mounted;
});
report(reached => \@reached, refused => \%refused);
