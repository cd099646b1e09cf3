# Names, inventory, capacity and cost follow from the variables.

variables {
  admin_ssh_keys    = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  release_url       = "https://downloads.example.org/containarium.tar.gz"
  release_sha256    = "0000000000000000000000000000000000000000000000000000000000000000"
  memory_gib        = 32
  hostnames         = { jump = "jump.example.org", jump-2 = "jump-2.example.org", jump-3 = "203.0.113.3" }
  data_disk_devices = { jump = "/dev/disk/by-id/a", jump-2 = "/dev/disk/by-id/b", jump-3 = "/dev/disk/by-id/c" }
  instance_name     = "jump"
  prices = {
    currency          = "EUR"
    as_of             = "a test"
    machine_hour      = 1
    spot_machine_hour = 0.5
    data_disk_month   = 0.1
    boot_disk_month   = 0.2
    snapshot_month    = 0.04
    address_hour      = 0.01
  }
}

run "one_server_has_the_plain_name" {
  command = plan

  assert {
    condition     = output.server_names == ["jump"]
    error_message = "one server: ${join(", ", output.server_names)}"
  }
}

run "more_servers_rename_none" {
  command = plan
  variables {
    jump_server_count = 3
  }

  assert {
    condition     = output.server_names == ["jump", "jump-2", "jump-3"]
    error_message = "three servers: ${join(", ", output.server_names)}"
  }
  assert {
    condition     = yamldecode(output.inventory).servers["jump-3"].address == "203.0.113.3:50051"
    error_message = output.inventory
  }
  assert {
    condition     = strcontains(output.ssh_config_snippet, "Host jump-2\n  HostName jump-2.example.org\n  Port 2222\n  User manage\n")
    error_message = output.ssh_config_snippet
  }
}

run "capacity_is_that_of_all_servers" {
  command = plan
  variables {
    jump_server_count = 3
    expected_users    = 150
  }

  assert {
    condition     = output.capacity.users_per_server == 56 && output.capacity.estimated_users == 168
    error_message = jsonencode(output.capacity)
  }
  assert {
    condition     = output.capacity.disk_per_user_gb == 9
    error_message = jsonencode(output.capacity)
  }
}

run "a_small_machine_keeps_two_gib_for_itself" {
  command = plan
  variables {
    memory_gib = 8
  }

  assert {
    condition     = output.capacity.users_per_server == 12
    error_message = jsonencode(output.capacity)
  }
}

run "too_many_users_fail_the_plan" {
  command = plan
  variables {
    expected_users = 57
  }

  expect_failures = [output.capacity]
}

run "cost_follows_from_the_prices" {
  command = plan
  variables {
    jump_server_count = 2
    expected_users    = 100
  }

  assert {
    condition = output.monthly_cost.per_part == {
      machine   = 1460
      data_disk = 100
      boot_disk = 12
      snapshots = 20
      address   = 14.6
    }
    error_message = jsonencode(output.monthly_cost)
  }
  assert {
    condition     = output.monthly_cost.total == 1606.6 && output.monthly_cost.per_user == 16.07
    error_message = jsonencode(output.monthly_cost)
  }
}

run "spot_machines_and_no_snapshots_cost_less" {
  command = plan
  variables {
    use_spot_instance     = true
    enable_disk_snapshots = false
  }

  assert {
    condition     = output.monthly_cost.per_part.machine == 365 && output.monthly_cost.per_part.snapshots == 0
    error_message = jsonencode(output.monthly_cost)
  }
}
