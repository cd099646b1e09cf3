locals {
  # Name of the data disk on the machine: /dev/disk/by-id/google-NAME.
  data_disk_name = "incus-data"

  # GiB of memory for each CPU, by family and kind: https://cloud.google.com/compute/docs/general-purpose-machines
  machine = regex("^(?P<family>[a-z0-9]+)-(?P<kind>[a-z]+)-(?P<cpus>[0-9]+)$", var.machine_type)
  memory_per_cpu = merge(
    { standard = 4, highmem = 8, highcpu = 1 },
    local.machine.family == "n1" ? { standard = 3.75, highmem = 6.5, highcpu = 0.9 } : {},
    contains(["n4", "c3", "c3d"], local.machine.family) ? { highcpu = 2 } : {},
    local.machine.family == "c4" ? { standard = 3.75, highmem = 7.75, highcpu = 2 } : {},
  )

  domain  = trimsuffix(var.dns_zone_domain, ".")
  servers = toset(module.jump_host.server_names)
  dns_names = {
    for name in local.servers : name => "jump${trimprefix(name, var.instance_name)}.${local.domain}" if var.dns_zone_name != ""
  }
  hostnames = { for name in local.servers : name => lookup(local.dns_names, name, google_compute_address.server[name].address) }
}

module "jump_host" {
  source = "../modules/jump-host"

  instance_name         = var.instance_name
  jump_server_count     = var.jump_server_count
  enable_load_balancer  = var.enable_load_balancer
  expected_users        = var.expected_users
  memory_per_user_mib   = var.memory_per_user_mib
  memory_gib            = local.memory_per_cpu[local.machine.kind] * tonumber(local.machine.cpus)
  data_disk_size        = var.data_disk_size
  boot_disk_size        = var.boot_disk_size
  use_spot_instance     = var.use_spot_instance
  enable_disk_snapshots = var.enable_disk_snapshots
  prices                = var.prices

  admin_ssh_keys    = var.admin_ssh_keys
  host_accounts     = var.host_accounts
  release_url       = var.release_url
  release_sha256    = var.release_sha256
  settings          = var.settings
  exempt_networks   = local.health_check_networks
  hostnames         = local.hostnames
  data_disk_devices = { for name in local.servers : name => "/dev/disk/by-id/google-${local.data_disk_name}" }

  # The guest agent would create and lock accounts by the project's metadata, beside those of containarium.
  extra_files = [
    { path = "/etc/default/instance_configs.cfg", content = "[Daemons]\naccounts_daemon = false\n" },
    { path = "/etc/containarium-boot/restart-guest-agent", content = file("${path.module}/files/restart-guest-agent.sh"), permissions = "0755" },
  ]
  extra_commands = [["/etc/containarium-boot/restart-guest-agent"]]
}
