# What a month costs, from `prices`.
locals {
  machine_hour = var.use_spot_instance ? var.prices.spot_machine_hour : var.prices.machine_hour

  cost_per_server = {
    machine   = local.machine_hour * var.hours_per_month
    data_disk = var.prices.data_disk_month * var.data_disk_size
    boot_disk = var.prices.boot_disk_month * var.boot_disk_size
    snapshots = var.enable_disk_snapshots ? var.prices.snapshot_month * var.data_disk_size * var.snapshot_share : 0
    address   = var.prices.address_hour * var.hours_per_month
  }

  cost_per_server_month = sum(values(local.cost_per_server))

  monthly_cost = {
    currency = var.prices.currency
    as_of    = var.prices.as_of
    servers  = var.jump_server_count
    per_part = { for part, cost in local.cost_per_server : part => floor(cost * var.jump_server_count * 100 + 0.5) / 100 }
    total    = floor(local.cost_per_server_month * var.jump_server_count * 100 + 0.5) / 100
    users    = local.users
    per_user = local.users == 0 ? null : floor(local.cost_per_server_month * var.jump_server_count / local.users * 100 + 0.5) / 100
  }
}
