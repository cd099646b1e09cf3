# How many users fit: by memory, because CPU and disk are shared and quotas may add up to more than there is.
locals {
  # An eighth of the memory, at least 2 GiB, for the system, Incus and the cache of ZFS.
  reserved_gib     = max(2, var.memory_gib / 8)
  users_per_server = max(0, floor((var.memory_gib - local.reserved_gib) * 1024 / var.memory_per_user_mib))
  estimated_users  = local.users_per_server * var.jump_server_count
  users            = var.expected_users == null ? local.estimated_users : var.expected_users

  capacity = {
    servers          = var.jump_server_count
    memory_gib       = var.memory_gib
    users_per_server = local.users_per_server
    estimated_users  = local.estimated_users
    # A tenth of a pool stays free, or ZFS becomes slow.
    disk_per_user_gb = local.users == 0 ? 0 : floor(var.data_disk_size * 0.9 * var.jump_server_count / local.users)
    using_spot       = var.use_spot_instance
    load_balanced    = var.enable_load_balancer
  }
}
