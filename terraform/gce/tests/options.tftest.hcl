# What can be asked for.

mock_provider "google" {}

variables {
  project_id          = "my-project-123"
  admin_ssh_keys      = { carol = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKvFzQ2dLNwO8mXGmYbYzcCrLXXeLhrOC0xKIT1YhS0Y carol@laptop" }
  allowed_ssh_sources = []
  release_url         = "https://downloads.example.org/containarium.tar.gz"
  release_sha256      = "0000000000000000000000000000000000000000000000000000000000000000"
}

run "spot_machines_are_stopped_and_not_restarted_by_google_itself" {
  command = plan
  variables {
    use_spot_instance = true
  }

  assert {
    condition     = one(google_compute_instance_template.server["containarium-jump"].scheduling).provisioning_model == "SPOT"
    error_message = "Spot"
  }
  assert {
    condition     = one(google_compute_instance_template.server["containarium-jump"].scheduling).automatic_restart == false
    error_message = "Google refuses automatic_restart for Spot VMs; the group restarts them"
  }
}

run "no_network_gets_in_if_none_is_named" {
  command = plan

  assert {
    condition     = length(google_compute_firewall.ssh) == 0
    error_message = "no rule"
  }
}

run "the_world_gets_in_if_it_is_named" {
  command = plan
  variables {
    allowed_ssh_sources = ["0.0.0.0/0"]
  }

  assert {
    condition     = google_compute_firewall.ssh[0].source_ranges == toset(["0.0.0.0/0"])
    error_message = "one variable"
  }
}

run "names_encryption_and_a_service_account" {
  command = plan
  variables {
    jump_server_count     = 2
    dns_zone_name         = "example"
    dns_zone_domain       = "example.org."
    disk_encryption_key   = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
    service_account_email = "jump@my-project-123.iam.gserviceaccount.com"
    enable_disk_snapshots = false
    apply_changes_at_once = true
  }

  assert {
    condition     = sort([for each in google_dns_record_set.server : each.name]) == tolist(["jump-2.example.org.", "jump.example.org."])
    error_message = "a name for each server"
  }
  assert {
    condition     = output.ssh_command == "ssh -p 2222 manage@jump.example.org"
    error_message = output.ssh_command
  }
  assert {
    condition     = one(google_compute_disk.data["containarium-jump-2"].disk_encryption_key).kms_key_self_link == var.disk_encryption_key
    error_message = "data disks"
  }
  assert {
    condition     = one(one(google_compute_instance_template.server["containarium-jump-2"].disk).disk_encryption_key).kms_key_self_link == var.disk_encryption_key
    error_message = "boot disks"
  }
  assert {
    condition     = length(one(google_compute_instance_template.server["containarium-jump"].service_account).scopes) == 0
    error_message = "no scopes"
  }
  assert {
    condition     = length(google_compute_disk_resource_policy_attachment.daily_snapshots) == 0
    error_message = "no snapshots"
  }
  assert {
    condition     = one(google_compute_instance_group_manager.server["containarium-jump"].update_policy).type == "PROACTIVE"
    error_message = "at once"
  }
}

run "memory_follows_from_the_machine_type" {
  command = plan
  variables {
    machine_type = "n1-highmem-4"
  }

  assert {
    condition     = output.capacity_info.memory_gib == 26
    error_message = jsonencode(output.capacity_info)
  }
}

run "a_machine_type_that_is_not_known" {
  command = plan
  variables {
    machine_type = "e2-medium"
  }
  expect_failures = [var.machine_type]
}

run "persistent_disks_of_a_family_that_has_none" {
  command = plan
  variables {
    machine_type = "c4-standard-8"
  }
  expect_failures = [var.boot_disk_type, var.data_disk_type]
}

run "an_image_without_cloud_init" {
  command = plan
  variables {
    os_image = "debian-cloud/debian-12"
  }
  expect_failures = [var.os_image]
}

run "a_zone_of_another_region" {
  command = plan
  variables {
    zone = "europe-west1-b"
  }
  expect_failures = [var.zone]
}

run "a_zone_of_dns_without_its_domain" {
  command = plan
  variables {
    dns_zone_name = "example"
  }
  expect_failures = [var.dns_zone_name]
}

run "sources_that_are_no_networks" {
  command = plan
  variables {
    allowed_ssh_sources = ["everybody"]
  }
  expect_failures = [var.allowed_ssh_sources]
}
