locals {
  # GiB of memory for each CPU, by family (https://aws.amazon.com/ec2/instance-types/), and CPUs by size.
  machine        = regex("^(?P<family>[a-z])[0-9][a-z]?\\.(?P<size>[0-9a-z]+)$", var.machine_type)
  memory_per_cpu = { c = 2, m = 4, r = 8, t = 4 }
  cpus           = local.machine.size == "large" ? 2 : 4 * tonumber(coalesce(trimsuffix(local.machine.size, "xlarge"), "1"))

  domain  = trimsuffix(var.dns_zone_domain, ".")
  servers = toset(module.jump_host.server_names)
  dns_names = {
    for name in local.servers : name => "jump${trimprefix(name, var.instance_name)}.${local.domain}" if var.dns_zone_id != ""
  }
  hostnames = { for name in local.servers : name => lookup(local.dns_names, name, aws_eip.server[name].public_ip) }
}

module "jump_host" {
  source = "../modules/jump-host"

  instance_name         = var.instance_name
  jump_server_count     = var.jump_server_count
  enable_load_balancer  = var.enable_load_balancer
  expected_users        = var.expected_users
  memory_per_user_mib   = var.memory_per_user_mib
  memory_gib            = local.memory_per_cpu[local.machine.family] * local.cpus
  data_disk_size        = var.data_disk_size
  boot_disk_size        = var.boot_disk_size
  use_spot_instance     = var.use_spot_instance
  enable_disk_snapshots = var.enable_disk_snapshots
  prices                = var.prices

  admin_ssh_keys = var.admin_ssh_keys
  host_accounts  = var.host_accounts
  release_url    = var.release_url
  release_sha256 = var.release_sha256
  settings       = var.settings
  hostnames      = local.hostnames

  # On Nitro, which all families here are: https://docs.aws.amazon.com/ebs/latest/userguide/nvme-ebs-volumes.html
  data_disk_devices = {
    for name in local.servers :
    name => "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${replace(aws_ebs_volume.data[name].id, "-", "")}"
  }
  attach_scripts = {
    for name in local.servers :
    name => replace(file("${path.module}/files/attach-volume.sh"), "VOLUME_OF_THIS_SERVER", aws_ebs_volume.data[name].id)
  }
}
